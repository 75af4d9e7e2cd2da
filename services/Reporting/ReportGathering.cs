using System.Text.Json.Nodes;
using ClipSae.Datasets;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Shards;
using ClipSae.Pages;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Reporting.Data;
using ClipSae.Reporting.Sections;
using ClipSae.Results;

namespace ClipSae.Reporting;

/// <summary>
/// Gathers a page's parts from a unit's inputs. They are named after the stage, unit and output they come from
/// (<c>sae-training/mlp@0/statistics</c>, <c>fine-tuning/none.s0/curves</c>) and <c>dataset/…</c>; whatever is not there is left out.
/// </summary>
internal sealed class ReportGathering(StageContext context, ReportOptions options)
{
    private const string Curation = ParameterSections.Curation + "/all/";
    private const string Evaluation = ParameterSections.Evaluation + "/all/";

    public async Task<ReportData> GatherAsync(CancellationToken cancel)
    {
        var data = new ReportData
        {
            Run = context.Run,
            At = context.Time.GetUtcNow(),
            Results = await ReadAsync(ResultFormats.Evaluation, Evaluation + OutputNames.Results, cancel),
            Examples = await ReadAsync(ResultFormats.Examples, Evaluation + OutputNames.Examples, cancel) ?? [],
            Salient = await ReadAsync(ResultFormats.Salient, Curation + OutputNames.Salient, cancel),
            Dataset = context.Inputs.TryGetValue($"{InputNames.Dataset}/{OutputNames.Manifest}", out var manifest)
                ? DatasetManifest.Load(await context.Artifacts.FetchAsync(manifest, cancel))
                : null,
            Curves = await ByUnitAsync(ResultFormats.Curves, ParameterSections.Tuning, OutputNames.Curves, cancel),
            Proofs = await ByUnitAsync(ResultFormats.Proof, ParameterSections.Conversion, OutputNames.Proof, cancel),
            Versions = SoftwareVersions.Here(),
        };
        if (context.RunLog is not null)
        {
            data = RunHistory.Tell(data, await context.RunLog.ReadAsync(cancel));
        }

        data = data with { Autoencoders = await AutoencodersAsync(data, cancel) };
        var (attacks, curated) = await AttacksAsync(data.Salient?.Firing, cancel);
        var (pictures, printed) = await ImagesAsync(data, cancel);
        return data with { Attacks = attacks, Curated = curated, Images = pictures, Printed = printed };
    }

    private async Task<T?> ReadAsync<T>(ResultFormat<T> format, string input, CancellationToken cancel)
        where T : class =>
        context.Inputs.TryGetValue(input, out var artifact) ? await format.ReadAsync(artifact, context.Artifacts.FetchAsync, cancel) : null;

    private async Task<IReadOnlyDictionary<string, T>> ByUnitAsync<T>(
        ResultFormat<T> format,
        string stage,
        string output,
        CancellationToken cancel
    )
        where T : class
    {
        var found = new SortedDictionary<string, T>(StringComparer.Ordinal);
        foreach (
            var (name, artifact) in context.InputsUnder(stage).Where(input => input.Key.EndsWith("/" + output, StringComparison.Ordinal))
        )
        {
            found[name[..^(output.Length + 1)]] = await format.ReadAsync(artifact, context.Artifacts.FetchAsync, cancel);
        }

        return found;
    }

    private async Task<IReadOnlyList<AutoencoderRecord>> AutoencodersAsync(ReportData data, CancellationToken cancel)
    {
        var statistics = await ByUnitAsync(ResultFormats.Statistics, ParameterSections.Sae, OutputNames.Statistics, cancel);
        var told = data
            .Units.Where(unit => unit.Stage == ParameterSections.Sae && !statistics.ContainsKey(unit.Unit))
            .Select(unit => new AutoencoderRecord(
                unit.Unit,
                ResultFormats.AutoencoderMetrics.Read(unit.Metrics, $"metrics of {unit.Stage}/{unit.Unit}"),
                []
            ));
        return
        [
            .. statistics
                .Select(stored => new AutoencoderRecord(stored.Key, stored.Value.Metrics, stored.Value.Features))
                .Concat(told)
                .OrderBy(autoencoder => autoencoder.Name, StringComparer.Ordinal),
        ];
    }

    private async Task<(IReadOnlyList<AttackImage> Shown, CuratedPrint? All)> AttacksAsync(double? firing, CancellationToken cancel)
    {
        if (!context.Inputs.TryGetValue(Curation + OutputNames.Attacks, out var artifact))
        {
            return ([], null);
        }

        var shown = new List<AttackImage>();
        var (printed, fire, natural) = (0, 0, 0);
        var words = new HashSet<string>(StringComparer.Ordinal);
        var fonts = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (item, bytes) in DatasetShard.Read(await context.Artifacts.FetchAsync(artifact, cancel)))
        {
            cancel.ThrowIfCancellationRequested();
            if (Text(item, "kind") == "natural")
            {
                natural++;
            }
            else
            {
                printed++;
                fire += item.Attributes?["activation"]?.GetValue<double>() > firing ? 1 : 0;
            }

            if (PrintedText.On(item) is { } print)
            {
                words.Add(print.Word);
                // Copies of a word in several faces.
                fonts.UnionWith(print.Font?.Split(", ") ?? []);
            }

            if (shown.Count < options.Attacks && Thumbnail.Of(bytes, options.ImageSide) is { } image)
            {
                shown.Add(new AttackImage(image, Text(item, "object") ?? item.Label, Text(item, "word"), Text(item, "font")));
            }
        }

        return (shown, new CuratedPrint(printed, firing is null ? null : fire, natural, words, fonts));
    }

    private async Task<(IReadOnlyDictionary<string, string> Images, IReadOnlySet<string> Printed)> ImagesAsync(
        ReportData data,
        CancellationToken cancel
    )
    {
        var wanted = SalientFeatures.WantedImages(data).Concat(RepeatingCaptions.WantedImages(data)).ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        var printed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (_, shard) in context.InputsUnder($"{InputNames.Dataset}/{InputNames.Shards}"))
        {
            if (wanted.Count == 0)
            {
                break;
            }

            foreach (var (item, bytes) in DatasetShard.Read(await context.Artifacts.FetchAsync(shard, cancel)))
            {
                cancel.ThrowIfCancellationRequested();
                if (wanted.Remove(item.Id) && Thumbnail.Of(bytes, options.ImageSide / 2) is { } image)
                {
                    found[item.Id] = image;
                    if (PrintedText.On(item) is not null)
                    {
                        printed.Add(item.Id);
                    }
                }
            }
        }

        return (found, printed);
    }

    private static string? Text(DatasetItem item, string attribute) =>
        item.Attributes?[attribute] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
