using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Curation;
using Spectre.Console;

namespace ClipSae.Cli.Output;

/// <summary>
/// The autoencoders of a run side by side: how well each reconstructs, and what switching off its text-salient features does.
/// </summary>
internal sealed class SweepTable : ISupplement
{
    private static readonly (string Title, Func<Row, double?> Metric, Func<double, string> Format)[] Columns =
    [
        ("features", row => row.Metrics.Latents, Amounts.Whole),
        ("explained\nvariance", row => row.Metrics.ExplainedVariance, Share),
        ("cosine", row => row.Metrics.Cosine, Amounts.Decimals),
        ("active\na row", row => row.Metrics.L0, Amounts.Significant),
        ("dead", row => row.Metrics.Dead, Share),
        ("zero-shot\nkept", row => row.Metrics.ZeroShotRecovered, Share),
        ("mono-\nsemanticity", row => row.Metrics.Monosemanticity, Amounts.Decimals),
        ("text-\nsalient", row => row.Salience?.Salient, Amounts.Whole),
        ("attacked,\nablated", row => row.Salience?.AttackedAblated, Share),
        ("attacked,\nrandom out", row => row.Salience?.AttackedRandom, Share),
        ("clean,\nchange", row => row.Salience?.CleanChange, Amounts.Points),
        ("clean,\nrandom out", row => row.Salience?.CleanChangeRandom, Amounts.Points),
        ("text\neffect", row => row.Salience?.Effect, Amounts.Points),
    ];

    private readonly List<Row> _rows;
    private readonly double? _attacked;

    private SweepTable(List<Row> rows, double? attacked) => (_rows, _attacked) = (rows, attacked);

    /// <summary>The table of what a run has given so far; null where it has no autoencoder.</summary>
    public static async Task<ISupplement?> ReadAsync(RunSummary summary, IArtifactStore store, CancellationToken cancel)
    {
        var trained = summary.State.Finished(ParameterSections.Sae).ToArray();
        if (trained.Length == 0)
        {
            return null;
        }

        var salient = summary.State.Output(ParameterSections.Curation, OutputNames.Salient) is { } artifact
            ? await ResultFormats.Salient.ReadAsync(artifact, store.FetchAsync, cancel)
            : null;
        var layers = salient?.Layers ?? [];
        // An autoencoder is shown at the share of its features that acts most.
        var rows = trained.Select(unit => new Row(
            unit.Unit,
            unit.Unit == salient?.Sae,
            RunSummary.Autoencoder(unit),
            layers.Where(row => row.Sae == unit.Unit).MaxBy(row => row.Effect) is { } row ? Salience.Of(row) : null
        ));
        return new SweepTable(
            [
                .. rows.OrderByDescending(row => row.Salience?.Effect ?? double.NegativeInfinity)
                    .ThenByDescending(row => row.Metrics.ExplainedVariance),
            ],
            layers.Count > 0 ? layers[0].Before.Attacked : null
        );
    }

    public void AddTo(JsonObject answer) =>
        answer["autoencoders"] = new JsonArray([
            .. _rows.Select(row =>
            {
                var entry = ResultFormats.AutoencoderMetrics.ToJson(row.Metrics);
                entry.Insert(0, "name", row.Name);
                foreach (
                    var (metric, value) in row.Salience is null
                        ? []
                        : JsonSerializer.SerializeToNode(row.Salience, ContractJson.Options)!.AsObject()
                )
                {
                    entry[metric] = value?.DeepClone();
                }

                entry["best"] = row.IsBest;
                return (JsonNode)entry;
            }),
        ]);

    public void Write(IAnsiConsole console)
    {
        var columns = Columns.Where(column => _rows.Any(row => column.Metric(row) is not null)).ToArray();
        var table = new NumberTable("autoencoder", [.. columns.Select(column => column.Title)]);
        foreach (var row in _rows)
        {
            table.Add(
                row.Name,
                [.. columns.Select(column => column.Metric(row) is { } value ? column.Format(value) : "–")],
                row.IsBest ? "bold green" : ""
            );
        }

        table.Write(console);
        if (_rows.Select(row => row.Metrics.MonosemanticityBaseline).OfType<double>().Distinct().ToArray() is { Length: > 0 } baselines)
        {
            console.WriteProse(
                "monosemanticity: how alike the images are that a feature fires on; "
                    + $"any images are {string.Join(" or ", baselines.Select(Amounts.Decimals))} alike."
            );
        }

        if (_attacked is { } attacked)
        {
            console.WriteProse(
                $"attacked: accuracy with a wrong word printed, {Amounts.Share(attacked)} untouched; ablated: "
                    + "text-salient features switched off; random out: as many random features."
            );
            console.WriteProse(
                "text effect: attacked accuracy won over the random control, less twice the clean accuracy lost against it. "
                    + "The best one is used for curation."
            );
        }
    }

    private static string Share(double fraction) => Amounts.Share(fraction);

    private sealed record Row(string Name, bool IsBest, AutoencoderMetrics Metrics, Salience? Salience);

    /// <summary>What switching off the text-salient features does; names as <c>--json</c> shows them.</summary>
    private sealed record Salience(
        int Salient,
        double AttackedAblated,
        double AttackedRandom,
        double CleanChange,
        double CleanChangeRandom,
        double Effect
    )
    {
        public static Salience Of(AblatedLayer row) =>
            new(
                row.Salient,
                row.Ablation.Attacked,
                row.Random.Average(draw => draw.Attacked),
                row.Ablation.Clean - row.Before.Clean,
                row.Random.Average(draw => draw.Clean) - row.Before.Clean,
                row.Effect
            );
    }
}
