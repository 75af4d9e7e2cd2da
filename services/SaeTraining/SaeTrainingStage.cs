using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.Sae.Quality;
using ClipSae.Sae.Steps;
using ClipSae.Tensors;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>
/// Trains one autoencoder of a hook point, with whose name the unit's begins, or takes over the one that is <c>given</c>. Inputs:
/// <c>activations/SHARD</c> and <c>ids/SHARD</c>; for names and the check of the reconstruction <c>shards/SHARD</c>, <c>model</c> and
/// <c>tokenizer</c>; for the monosemanticity score <c>embeddings/SHARD</c>, of captions <c>text-embeddings/SHARD</c>. Outputs: <c>sae</c>,
/// <c>statistics</c>, and <c>sae_weights</c> with <c>cfg</c> in SAELens' layout.
/// </summary>
public sealed class SaeTrainingStage : IStage
{
    private const int ReportInterval = 20;
    private const string GivenInput = InputNames.GivenAutoencoder;

    public string Name => ParameterSections.Sae;

    public string WhenMemoryIsShort => "lower sae.batchSize or sae.expansion, or set sae.device to cpu or another card";

    public int AlgorithmVersion => 7;

    public JsonObject Normalize(JsonObject parameters) => StageParameters.Normalize<SaeOptions>(parameters, Name, o => o.Validate());

    public async Task CheckAsync(UnitCheck unit, CancellationToken cancel)
    {
        if (await unit.FetchAsync(InputNames.ModelWeights, cancel) is not { } weights)
        {
            return;
        }

        using var checkpoint = ClipCheckpoint.Open(weights);
        var hook = HookPoint.OfAutoencoder(unit.Unit);
        var width = hook.CheckedFor(checkpoint.Architecture).Width(checkpoint.Architecture);
        if (await unit.FetchAsync(RunPlanner.GivenAutoencoderPrefix + hook, cancel) is { } given)
        {
            using var sae = SaeFile.Load(given);
            RequireWidth(sae, width, unit.Unit);
            return;
        }

        StageParameters.Bind<SaeOptions>(unit.Parameters, Name).For(width, rows: int.MaxValue);
    }

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<SaeOptions>();
        var device = Compute.Device(options.Device);
        using var data = await ActivationSet.ReadAsync(context, options, cancel);
        var pictures = await ImageTable.ReadAsync(context, data.HeldOutIds, options, cancel);
        await RequirePromptsAsync(context, pictures, options, cancel);
        var (sae, origin) = context.Inputs.ContainsKey(GivenInput)
            ? await TakeAsync(context, data.Training.Width, cancel)
            : await TrainAsync(
                context,
                data.Training,
                options.For(data.Training.Width, data.Training.Rows),
                options.CheckpointInterval,
                device,
                cancel
            );
        using (sae)
        {
            using var clip = await ClipInputs.LoadAsync(context, device, cancel);
            var statistics = Examine(context, options, origin, data, sae, pictures, clip, cancel);
            return new StageResult(
                await StoreAsync(context, sae, statistics, cancel),
                ResultFormats.AutoencoderMetrics.ToJson(statistics.Metrics)
            );
        }
    }

    private static async Task<(SparseAutoencoder Sae, AutoencoderOrigin Origin)> TakeAsync(
        StageContext context,
        int width,
        CancellationToken cancel
    )
    {
        var sae = SaeFile.Load(await context.FetchAsync(GivenInput, cancel));
        RequireWidth(sae, width, context.Unit);
        return (sae, new AutoencoderOrigin(sae.Variant, sae.Latents, Steps: 0, Rows: 0, DeadAfterSamples: 0));
    }

    private static void RequireWidth(SparseAutoencoder sae, int width, string unit) =>
        UserErrorException.ThrowIf(
            sae.InputWidth != width,
            $"the autoencoder given for {unit} takes activations {sae.InputWidth} wide, "
                + $"but those of the model are {width} wide there; name the hook point that it was trained at"
        );

    // Before the training rather than after it.
    private static async Task RequirePromptsAsync(StageContext context, ImageTable pictures, SaeOptions options, CancellationToken cancel)
    {
        if (!ClipInputs.AreThere(context))
        {
            return;
        }

        var tokenizer = ClipTokenizer.Load(await context.FetchAsync(InputNames.Tokenizer, cancel));
        using var checkpoint = ClipCheckpoint.Open(await context.FetchAsync(InputNames.Model, cancel));
        foreach (var prompt in ReconstructionCheck.Prompts(pictures, options.PromptTemplate))
        {
            _ = tokenizer.EncodePrompt(prompt, checkpoint.Architecture.ContextLength);
        }
    }

    private static SaeStatistics Examine(
        StageContext context,
        SaeOptions options,
        AutoencoderOrigin origin,
        ActivationSet data,
        SparseAutoencoder sae,
        ImageTable pictures,
        ClipInputs? clip,
        CancellationToken cancel
    )
    {
        using var scope = NewDisposeScope();
        var quality = SaeQuality.Measure(sae, data.HeldOut, data.HeldOutSource, options.TopImages, data.Embeddings, cancel);
        var names = clip?.Point is HookPoint.ImageEmbedding or HookPoint.TextEmbedding
            ? FeatureNaming.FromTexts(sae, clip, pictures.Captions)
            : FeatureNaming.FromCaptions(quality.Features, data.Sources, pictures.Captions);
        var zeroShot = ZeroShot(context, options, sae, pictures, clip, cancel);
        return new SaeStatistics(
            HookPoint.OfAutoencoder(context.Unit).ToString(),
            SaeReport.Metrics(quality.Metrics, origin, zeroShot),
            quality.Metrics.DensityHistogram,
            SaeReport.Features(quality.Features, data.Sources, pictures.Captions, names)
        );
    }

    private static async Task<(SparseAutoencoder Sae, AutoencoderOrigin Origin)> TrainAsync(
        StageContext context,
        IActivationRows rows,
        SaeTrainingOptions training,
        int checkpointInterval,
        Device device,
        CancellationToken cancel
    )
    {
        using var trainer = await TrainingCheckpoint.StartOrResumeAsync(context, rows, training, device, cancel);
        var first = trainer.State.Step;
        while (!trainer.Done)
        {
            var isSaved = trainer.State.Step == first || trainer.State.Step % checkpointInterval == 0;
            await StopGrace.ThrowIfStoppedAsync(
                token => isSaved ? Task.CompletedTask : TrainingCheckpoint.SaveAsync(context, trainer, token),
                cancel
            );
            trainer.Advance();
            var step = trainer.State.Step;
            if (step % checkpointInterval == 0 && !trainer.Done)
            {
                await TrainingCheckpoint.SaveAsync(context, trainer, cancel);
            }

            if (step % ReportInterval == 0 || trainer.Done)
            {
                var losses = trainer.Losses();
                context.Progress.Report(
                    new StageProgress(
                        step,
                        training.Steps,
                        "steps",
                        new Dictionary<string, double>
                        {
                            ["loss"] = losses.Total,
                            ["reconstruction"] = losses.Reconstruction,
                            ["auxiliary"] = losses.Auxiliary,
                        }
                    )
                );
            }
        }

        return (
            trainer.Export(),
            new AutoencoderOrigin(training.Variant, training.Latents, training.Steps, rows.Rows, training.DeadAfterSamples)
        );
    }

    private static (double Original, double Reconstructed)? ZeroShot(
        StageContext context,
        SaeOptions options,
        SparseAutoencoder sae,
        ImageTable pictures,
        ClipInputs? clip,
        CancellationToken cancel
    )
    {
        if (clip is null || pictures.Labelled.Count == 0)
        {
            context.Log.LogInformation(
                "{Unit}: no labelled held-out pictures, model or tokenizer; skipping zero-shot accuracy of the reconstruction",
                context.Unit
            );
            return null;
        }

        return ReconstructionCheck.Measure(clip, sae.To(clip.Device), pictures, options.PromptTemplate, cancel);
    }

    private static async Task<Dictionary<string, ArtifactRef>> StoreAsync(
        StageContext context,
        SparseAutoencoder sae,
        SaeStatistics statistics,
        CancellationToken cancel
    )
    {
        var file = Path.Combine(context.Scratch, "sae.safetensors");
        SaeFile.Save(sae, file);
        SaeLensFormat.Save(
            sae,
            context.Scratch,
            context.Inputs.GetValueOrDefault(InputNames.Model)?.Digest ?? "clip",
            HookPoint.OfAutoencoder(context.Unit).ToString()
        );
        return new Dictionary<string, ArtifactRef>
        {
            [OutputNames.Autoencoder] = await context.Artifacts.TakeFileAsync(
                file,
                $"{context.Unit}.sae.safetensors",
                MediaTypes.Safetensors,
                cancel
            ),
            ["sae_weights"] = await context.Artifacts.TakeFileAsync(
                Path.Combine(context.Scratch, SaeLensFormat.WeightsFile),
                SaeLensFormat.WeightsFile,
                MediaTypes.Safetensors,
                cancel
            ),
            ["cfg"] = await context.Artifacts.TakeFileAsync(
                Path.Combine(context.Scratch, SaeLensFormat.ConfigFile),
                SaeLensFormat.ConfigFile,
                MediaTypes.Json,
                cancel
            ),
            [OutputNames.Statistics] = await context.Artifacts.PutBytesAsync(
                ResultFormats.Statistics.Write(statistics),
                $"{context.Unit}.statistics.json",
                ResultFormats.Statistics.MediaType,
                cancel
            ),
        };
    }
}
