using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Import;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Heads;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.FineTuning.Validation;
using ClipSae.Imaging.Decoding;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Tuning;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.Tensors;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace ClipSae.FineTuning;

/// <summary>
/// Fine-tunes CLIP against the curated attacks; a unit is one arm with one seed. Inputs: <c>model</c>, <c>tokenizer</c>,
/// <c>shards/NNNNN</c>, <c>attacks</c>, <c>controls</c>, <c>families</c>, <c>salient</c>, <c>sae/HOOK</c>. Outputs: <c>model</c> (GmP),
/// <c>curves</c>.
/// </summary>
public sealed class FineTuningStage : IStage
{
    public string Name => ParameterSections.Tuning;

    public string WhenMemoryIsShort =>
        "set tuning.recompute to true and tuning.compute to bfloat16, "
        + "lower tuning.cleanBatch and tuning.attackBatch (tuning.accumulation makes up for it), or choose another device";

    public int AlgorithmVersion => 14;

    public IReadOnlyList<string> OptionalParameters => ["adapter", "moments"];

    public JsonObject Normalize(JsonObject parameters) =>
        StageParameters.Normalize<FineTuningOptions>(parameters, Name, o => TuningArm.Of(o));

    /// <summary>What decodes pictures.</summary>
    public JsonObject OfMachine(JsonObject parameters) => ImageDecoding.OfMachine();

    public async Task CheckAsync(UnitCheck unit, CancellationToken cancel)
    {
        if (
            await unit.FetchAsync(InputNames.DatasetManifest, cancel) is { } manifest
            && StageParameters.Bind<FineTuningOptions>(unit.Parameters, Name).CleanBatch is var batch
            && DatasetManifest.Load(manifest).Items.Count is var images
            && batch > images
        )
        {
            throw new UserErrorException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"tuning.cleanBatch: "
                        + $"a batch of {batch} is larger than the data set, which has {images} usable images; lower it or add images"
                )
            );
        }
    }

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<FineTuningOptions>();
        var arm = TuningArm.Parse(options.Arm);
        var device = Compute.Device(options.Device);
        // No dispose scope here: scopes belong to a thread, and after each await this may be another one.
        using var model = ClipModel.Load(await context.FetchAsync(InputNames.Model, cancel), device);
        arm.RequireFit(model.Architecture.Family, options.Loss);
        var isAdapted = options.Adapter is not null && arm.IsTrained && !arm.TrainsNullToken;
        if (!isAdapted)
        {
            model.ToGeometric();
        }

        using var basis = arm.NeedsBase ? VisionPlan.Compile(model) : null;
        var tokenizer = ClipTokenizer.Load(await context.FetchAsync(InputNames.Tokenizer, cancel));
        var salient = await ResultFormats.Salient.ReadAsync(context.Input(OutputNames.Salient), context.Artifacts.FetchAsync, cancel);
        var parts = SalientParts.Read(salient, arm, model.Architecture, options.Seed);
        using var autoencoder = arm.ReadsFeatures ? await LoadAutoencoderAsync(context, parts.Autoencoder, device, cancel) : null;
        var shards = new List<string>();
        foreach (var (_, shard) in context.InputsUnder(InputNames.Shards))
        {
            shards.Add(await context.Artifacts.FetchAsync(shard, cancel));
        }

        var familyShard = context.Inputs.ContainsKey(OutputNames.Families) ? await context.FetchAsync(OutputNames.Families, cancel) : null;
        using var data = TuningData.Read(
            shards,
            await context.FetchAsync(OutputNames.Attacks, cancel),
            await context.FetchAsync(OutputNames.Controls, cancel),
            salient.Classes,
            new HeldOutPrint(salient.HeldOutWords, salient.HeldOutFonts),
            model.Architecture.Preparation,
            options,
            context.Log,
            cancel,
            salient.CaptionHygiene?.Captions,
            familyShard,
            salient.CaptionHygiene?.Hidden is { } hidden ? new HiddenPrint(model.Architecture.PatchSize, hidden) : null
        );
        var validator = new Validator(data, tokenizer, options, device);
        using var heads = arm.AblatesHeads ? HeadAblation.Find(model, data, validator, options, arm.IsRandom, device, cancel) : null;
        using var directions = arm.ReadsHeads
            ? TextDirections.Of(
                model,
                parts.Hook,
                autoencoder!,
                parts.Features,
                TypographicHeads.Late(model, data, options, arm.IsRandom, device, cancel)
            )
            : new TextDirections([]);
        parts = parts with { Heads = directions.Heads };
        if (arm.TrainsNullToken)
        {
            using var token = Starting(model, options);
            model.Attach(token);
        }

        if (isAdapted)
        {
            model.Attach(options.Adapter!.Form, options.Seed);
        }

        var baseFile = await context.FetchAsync(InputNames.Model, cancel);
        var tuner = new FineTuner(model, tokenizer, data, new AttackForward(arm, parts, autoencoder, options, basis), options, device)
        {
            Provenance = Provenance(context),
            BaseFile = baseFile,
            Heads = heads,
            Log = context.Log,
        };
        var (bestModel, curves) = arm.IsTrained
            ? await tuner.TrainAsync(context.Scratch, context.Checkpoints, context.Progress, cancel)
            : heads!.Save(model, validator, context.Scratch, options, baseFile, Provenance(context), cancel);
        if (curves.IsBeatenByBase)
        {
            context.Log.LogWarning(
                "{Arm}: no step scores higher than the base (best score {Best}, clean {Clean}; base {Base}, clean {BaseClean}); "
                    + "lower tuning.learningRates, or look at the data",
                arm.Name,
                curves.BestScore,
                curves.Best?.Clean,
                curves.Base?.Score,
                curves.Base?.Clean
            );
        }

        IReadOnlyList<FamilyComparison>? families = null;
        if (data.Families.Items.Count > 0)
        {
            var pixels = TuningData.ReadPixels(familyShard!, data.Families, model.Architecture.Preparation, cancel);
            families = data.Families.Compare(
                pixels,
                salient.Classes,
                () => ClipModel.Load(baseFile, device),
                () => ClipModel.Load(bestModel, device),
                tokenizer,
                options,
                device,
                cancel
            );
        }

        var plotted = new TuningCurves(curves.History, arm.Name, options.Seed)
        {
            Families = families,
            Heads = heads is null
                ? null
                : [.. heads.Heads.Select(entry => new HeadScore(entry.Head.Layer, entry.Head.Index, Math.Round(entry.Head.Score, 6)))],
        };
        var outputs = new Dictionary<string, ArtifactRef>(StringComparer.Ordinal)
        {
            [OutputNames.Model] = await context.Artifacts.TakeFileAsync(bestModel, "model.safetensors", MediaTypes.Safetensors, cancel),
            [OutputNames.Curves] = await context.Artifacts.PutBytesAsync(
                ResultFormats.Curves.Write(plotted),
                OutputNames.Curves,
                ResultFormats.Curves.MediaType,
                cancel
            ),
        };
        var metrics = new TuningMetrics(
            arm.Name,
            options.Seed,
            arm.IsTrained ? options.Steps : 0,
            data.Clean.Count,
            data.Attacks.Count,
            data.CleanValidation.Labels.Count,
            data.AttackValidation.Labels.Count,
            data.ReadingValidation?.Labels.Count ?? 0,
            heads?.Heads.Count ?? 0,
            tuner.CutCaptions,
            curves.IsBeatenByBase,
            curves.BestStep,
            curves.LastDrift,
            curves.Alpha,
            curves.Stopped,
            curves.Best
        )
        {
            Families = families,
        };
        return new StageResult(outputs, ResultFormats.TuningMetrics.ToJson(metrics));
    }

    /// <summary>A vector of the length that embeddings of tokens start with.</summary>
    private static NullToken Starting(ClipModel model, FineTuningOptions options)
    {
        var (block, width) = (options.NullTokenBlock ?? model.Architecture.VisionLayers / 2, model.Architecture.VisionWidth);
        using var generator = new Generator((ulong)options.Seed, CPU);
        return new NullToken(block, randn(width, generator: generator).DivideInPlace(Math.Sqrt(width)).DetachFromDisposeScope());
    }

    // It follows from the stage's key alone, as every output must; the conversion hands it on to whoever gets the weights.
    private Dictionary<string, string> Provenance(StageContext context) =>
        new(StringComparer.Ordinal)
        {
            ["clipsae_stage"] = FormattableString.Invariant($"{Name}/{AlgorithmVersion}"),
            ["clipsae_parameters"] = CanonicalJson.Serialize(context.Parameters),
            ["clipsae_base"] = context.Input(InputNames.Model).Digest,
            ["clipsae_attacks"] = context.Input(OutputNames.Attacks).Digest,
        };

    private static async Task<SparseAutoencoder> LoadAutoencoderAsync(
        StageContext context,
        string name,
        Device device,
        CancellationToken cancel
    )
    {
        var artifact = context.InputsUnder(OutputNames.Autoencoder).FirstOrDefault(i => i.Key == name).Value
            ?? throw new UserErrorException($"fine-tuning: the SAE of {name} is not among the inputs (sae/{name})");
        return SaeFile.Load(await context.Artifacts.FetchAsync(artifact, cancel), device);
    }
}
