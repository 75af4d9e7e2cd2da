using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Import;
using ClipSae.Imaging.Decoding;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Evaluation;
using ClipSae.Tensors;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Scores;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;
using Microsoft.Extensions.Logging;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>
/// Scores base and tuned models side by side. Inputs: <c>base</c>, <c>tokenizer</c>, <c>models/UNIT</c>, <c>null-tokens/UNIT</c> (of models
/// that have one), <c>curves/UNIT</c> (their validation scores choose the tuned model that is shown), <c>evaluation/SET/shards/NNNNN</c>
/// and <c>evaluation/SET/manifest</c> (for its problems); without sets the models are named and chosen, not scored. Outputs:
/// <c>results</c>, <c>examples</c> (JSON) and <c>probabilities</c> (safetensors, <c>SET/MODEL</c> for base and tuned, with ids and
/// candidates in its metadata).
/// </summary>
public sealed class ZeroShotEvaluationStage : IStage
{
    private const string Sets = "evaluation";
    private const string Shards = "/shards/";

    public string Name => ParameterSections.Evaluation;

    public bool MayHalveBatches => true;

    public string WhenMemoryIsShort =>
        "not even one image fits next to the model: set evaluation.compute to bfloat16, or choose another device";

    public int AlgorithmVersion => 12;

    public JsonObject Normalize(JsonObject parameters) =>
        StageParameters.Normalize<EvaluationOptions>(parameters, Name, options => options.Validate());

    /// <summary>What decodes pictures.</summary>
    public JsonObject OfMachine(JsonObject parameters) => ImageDecoding.OfMachine();

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<EvaluationOptions>();
        options = options with { BatchSize = context.Smaller(options.BatchSize) };
        var tokenizer = ClipTokenizer.Load(await context.FetchAsync(InputNames.Tokenizer, cancel));
        var models = await ModelsAsync(context, cancel);
        var sets = await SetsAsync(context, cancel);
        var cache = context.Results is null ? null : new TextEmbeddingCache(context.Artifacts, context.Results, context.Run, context.Time);
        var evaluator = new ZeroShotEvaluator(options, tokenizer, context.Input(InputNames.Tokenizer).Digest, cache);
        using var evaluation =
            sets.Count == 0
                ? evaluator.Unscored(models)
                : await evaluator.EvaluateAsync(
                    models,
                    sets,
                    context.Scratch,
                    (done, total) => context.Progress.Report(new StageProgress(done, total, "images")),
                    cancel
                );
        if (models.Count > 1 && evaluation.Results.Tuned is null)
        {
            context.Log.LogWarning("No fine-tuned model has a higher validation score than the base: none is taken as the tuned model");
        }

        if (sets.Count == 0)
        {
            context.Log.LogWarning(
                "No evaluation sets were given: the tuned model is chosen by its validation score, and nothing is compared"
            );
        }

        foreach (var set in evaluation.Results.Sets.Where(set => set.Problems.Count > 0))
        {
            context.Log.LogWarning(
                "Evaluation set {Set}: {Problems} of {Total} images could not be scored, first {Id}: {Reason}",
                set.Name,
                set.Problems.Count,
                set.Total,
                set.Problems[0].Id,
                set.Problems[0].Reason
            );
        }

        foreach (var (set, captions) in evaluation.Results.Models[0].Retrieval.Where(set => set.Value.CutCaptions > 0))
        {
            context.Log.LogWarning(
                "Evaluation set {Set}: {Cut} captions are longer than the model's context and were cut",
                set,
                captions.CutCaptions
            );
        }

        var outputs = new Dictionary<string, ArtifactRef>
        {
            [OutputNames.Results] = await PutAsync(context, ResultFormats.Evaluation, evaluation.Results, "results.json", cancel),
            [OutputNames.Examples] = await PutAsync(context, ResultFormats.Examples, evaluation.Examples, "examples.json", cancel),
            ["probabilities"] = await PutAsync(context, evaluation.Probabilities, cancel),
        };
        return new StageResult(outputs, ResultFormats.EvaluationMetrics.ToJson(EvaluationMetrics.Of(evaluation.Results)));
    }

    private static async Task<IReadOnlyList<ModelUnderTest>> ModelsAsync(StageContext context, CancellationToken cancel)
    {
        var models = new List<ModelUnderTest>
        {
            new(ModelUnderTest.BaseName, await context.FetchAsync(InputNames.Base, cancel), Digest: context.Input(InputNames.Base).Digest),
        };
        foreach (var (unit, artifact) in context.InputsUnder(InputNames.Models))
        {
            var (arm, seed) = Split(unit);
            var curves = context.Inputs.TryGetValue(OutputNames.Curves + "/" + unit, out var stored)
                ? await ResultFormats.Curves.ReadAsync(stored, context.Artifacts.FetchAsync, cancel)
                : null;
            // The first validation is of step 0, the base itself.
            models.Add(
                new ModelUnderTest(
                    unit,
                    await context.Artifacts.FetchAsync(artifact, cancel),
                    arm,
                    seed,
                    curves?.Best?.Score,
                    artifact.Digest,
                    curves?.Validation.FirstOrDefault()?.Score
                )
                {
                    NullToken = context.Inputs.TryGetValue(InputNames.NullTokens + "/" + unit, out var token)
                        ? await context.Artifacts.FetchAsync(token, cancel)
                        : null,
                }
            );
        }

        return models;
    }

    private static async Task<IReadOnlyList<EvaluationSet>> SetsAsync(StageContext context, CancellationToken cancel)
    {
        var sets = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (name, artifact) in context.InputsUnder(Sets))
        {
            var end = name.IndexOf(Shards, StringComparison.Ordinal);
            if (end > 0)
            {
                var set = name[..end];
                sets.TryAdd(set, []);
                sets[set].Add(await context.Artifacts.FetchAsync(artifact, cancel));
            }
        }

        var listed = new List<EvaluationSet>();
        foreach (var (name, shards) in sets)
        {
            var manifest = context.Inputs.TryGetValue($"{Sets}/{name}/manifest", out var artifact)
                ? DatasetManifest.Load(await context.Artifacts.FetchAsync(artifact, cancel))
                : null;
            listed.Add(new EvaluationSet(name, shards, manifest?.Problems));
        }

        return listed;
    }

    // Units are named <arm>.s<seed>; a model that a user brings has no seed.
    private static (string Arm, int? Seed) Split(string unit)
    {
        var dot = unit.LastIndexOf(".s", StringComparison.Ordinal);
        return dot > 0 && int.TryParse(unit.AsSpan(dot + 2), NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
            ? (unit[..dot], seed)
            : (unit, null);
    }

    private static Task<ArtifactRef> PutAsync<T>(
        StageContext context,
        ResultFormat<T> format,
        T value,
        string name,
        CancellationToken cancel
    )
        where T : class => context.Artifacts.PutBytesAsync(format.Write(value), name, format.MediaType, cancel);

    private static async Task<ArtifactRef> PutAsync(StageContext context, IReadOnlyList<SetProbabilities> tables, CancellationToken cancel)
    {
        var path = Path.Combine(context.Scratch, "probabilities.safetensors");
        var metadata = tables
            .DistinctBy(table => table.Set)
            .SelectMany(table =>
                new[]
                {
                    KeyValuePair.Create(table.Set + "/ids", JsonSerializer.Serialize(table.Ids, ContractJson.Options)),
                    KeyValuePair.Create(table.Set + "/candidates", JsonSerializer.Serialize(table.Candidates, ContractJson.Options)),
                }
            );
        var byName = tables.ToDictionary(table => $"{table.Set}/{table.Model}", StringComparer.Ordinal);
        SafetensorsWriter.WriteStreaming(
            path,
            byName.Select(table => new TensorLayout(table.Key, torch.float32, [table.Value.Ids.Count, table.Value.Candidates.Count])),
            name => byName[name].Compute(),
            metadata.ToDictionary()
        );
        return await context.Artifacts.TakeFileAsync(path, "probabilities.safetensors", MediaTypes.Safetensors, cancel);
    }
}
