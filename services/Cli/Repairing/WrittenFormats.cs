using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Pipeline;
using ClipSae.WeightConversion;
using Spectre.Console;

namespace ClipSae.Cli;

/// <summary>The tuned model of a run in every format that people load, written and proved where the user wants it.</summary>
internal sealed class WrittenFormats(string folder, Conversion conversion) : ISupplement
{
    /// <summary>Formats that every CLIP can be written in.</summary>
    public static IReadOnlyList<string> All { get; } = ["openai", "openai-pt", "huggingface", "text-encoder", "open-clip", "onnx", "gmp"];

    /// <summary>Writes them; null where the run gave no tuned model.</summary>
    public static async Task<ISupplement?> WriteAsync(RunSummary summary, IArtifactStore store, ClipTokenizer tokenizer, string folder, CancellationToken cancel)
    {
        var tuned = summary.TunedUnit is { } unit ? summary.Finished(ParameterSections.Conversion, unit)?.Outputs.GetValueOrDefault("model") : null;
        if (tuned is null)
        {
            return null;
        }

        var source = new ConversionSource(await store.FetchAsync(tuned, cancel), "tuned.safetensors");
        return new WrittenFormats(folder, Conversion.Replace(source, folder, new ConversionOptions { Formats = All }, tokenizer, cancel));
    }

    public void AddTo(JsonObject answer)
    {
        answer["formats"] = new JsonObject { ["folder"] = folder, ["files"] = JsonSerializer.SerializeToNode(conversion.Files, ContractJson.Options) };
    }

    public void Write(IAnsiConsole console) => console.WriteUnfolded($"formats:    {folder} ({string.Join(", ", All)}; each loaded again and compared)");
}
