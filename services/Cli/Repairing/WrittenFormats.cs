using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Tokenizers;
using ClipSae.Pipeline.Runs;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using Spectre.Console;

namespace ClipSae.Cli.Repairing;

/// <summary>The tuned model of a run in every format that people load, written and proved where the user wants it.</summary>
internal sealed class WrittenFormats(string folder, IReadOnlyList<string> formats, Conversion conversion) : ISupplement
{
    /// <summary>
    /// Formats that every model of a family can be written in: of a CLIP all but Long-CLIP's, which needs a context of its own, and those
    /// that need a base.
    /// </summary>
    private static string[] Of(ClipFamily family) =>
        [
            .. ConversionTarget
                .All.Where(target => target is { NeedsBase: false } and not LongClipTarget && target.IsOf(family))
                .Select(target => target.Name),
        ];

    /// <summary>Writes them; null where the run gave no tuned model.</summary>
    public static async Task<ISupplement?> WriteAsync(
        RunSummary summary,
        IArtifactStore store,
        ClipTokenizer tokenizer,
        string folder,
        CancellationToken cancel
    )
    {
        var tuned = summary.TunedUnit is { } unit
            ? summary.State.Finished(ParameterSections.Conversion, unit)?.Outputs.GetValueOrDefault(OutputNames.Model)
            : null;
        if (tuned is null)
        {
            return null;
        }

        var source = new ConversionSource(await store.FetchAsync(tuned, cancel), "tuned.safetensors");
        var formats = Of(ModelFiles.Architecture(source.Path).Family);
        return new WrittenFormats(
            folder,
            formats,
            Conversion.Replace(source, folder, new ConversionOptions { Formats = formats }, tokenizer, cancel)
        );
    }

    public void AddTo(JsonObject answer)
    {
        answer["formats"] = new JsonObject
        {
            ["folder"] = folder,
            ["files"] = JsonSerializer.SerializeToNode(conversion.Files, ContractJson.Options),
        };
    }

    public void Write(IAnsiConsole console) =>
        console.WriteUnfolded($"formats:    {folder} ({string.Join(", ", formats)}; each loaded again and compared)");
}
