using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;
using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>
/// Text embeddings under a key made of all that decides them, as stage results are kept: model, tokenizer, texts, templates, precision,
/// device and thread count (the last two decide the last bits). Anything else is another key, so nothing stale is ever found.
/// </summary>
/// <param name="artifacts">Where the embeddings are.</param>
/// <param name="results">Which key has which.</param>
/// <param name="run">Who computes, for those who look at the store.</param>
public sealed class TextEmbeddingCache(IArtifactStore artifacts, IStageResults results, string run, TimeProvider time)
{
    private const string Name = "text-embedding";

    /// <summary>Raised when <see cref="TextEmbedder"/> or the text tower gives other numbers for the same model and texts.</summary>
    private const int AlgorithmVersion = 4;

    private const string Output = "embeddings";
    private const string CutMetric = "cut";

    /// <summary>The embeddings, or null where they were never computed or are no longer in the store.</summary>
    internal async Task<TextTable?> FindAsync(StageKeyParts key, CancellationToken cancel)
    {
        if (
            await results.FindAsync(key.Key(), cancel) is not { } stored
            || !await artifacts.ExistsAsync(stored.Outputs[Output].Digest, cancel)
        )
        {
            return null;
        }

        using var file = SafetensorsFile.Open(await artifacts.FetchAsync(stored.Outputs[Output], cancel));
        using var values = file.Read(Output);
        // Sets of captions alone ask for no class names: a table without rows, of which TorchSharp gives no data.
        return new TextTable(
            values.NumberOfElements == 0 ? [] : values.data<float>().ToArray(),
            (int)values.shape[1],
            stored.Metrics[CutMetric]!.GetValue<int>()
        );
    }

    internal async Task SaveAsync(StageKeyParts key, TextTable table, double seconds, string scratch, CancellationToken cancel)
    {
        var path = Path.Combine(scratch, Output + ".safetensors");
        using (var values = table.ToTensor())
        {
            SafetensorsWriter.Write(path, [KeyValuePair.Create(Output, values)]);
        }

        var artifact = await artifacts.TakeFileAsync(path, Output + ".safetensors", MediaTypes.Safetensors, cancel);
        await results.SaveAsync(
            key.Key(),
            new StoredResult(
                key,
                "all",
                run,
                new Dictionary<string, ArtifactRef> { [Output] = artifact },
                new JsonObject { [CutMetric] = table.Cut },
                Math.Round(seconds, 4),
                time.GetUtcNow()
            ),
            cancel
        );
    }

    /// <param name="model">Digest of the checkpoint.</param>
    /// <param name="tokenizer">Digest of the vocabulary.</param>
    /// <param name="device">Device of the text tower, which always computes in float32.</param>
    internal static StageKeyParts KeyOf(TextRequest request, string model, string tokenizer, string device) =>
        new(
            Name,
            AlgorithmVersion,
            new JsonObject
            {
                ["texts"] = Digest.OfText(JsonSerializer.Serialize(request.Names, ContractJson.Options)),
                ["count"] = request.Names.Count,
                ["templates"] = new JsonArray([.. request.Templates.Select(template => JsonValue.Create(template))]),
                ["precision"] = "float32",
                ["device"] = device,
                ["threads"] = Compute.Threads.ToString(CultureInfo.InvariantCulture),
            },
            new Dictionary<string, string> { ["model"] = model, ["tokenizer"] = tokenizer }
        );
}
