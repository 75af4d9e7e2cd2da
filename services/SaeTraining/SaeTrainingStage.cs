using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Contracts;
using ClipSae.Pipeline;
using ClipSae.Sae;
using ClipSae.Sae.Training;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>
/// Trains the autoencoder of one hook point; the unit is its name. Inputs: <c>activations/SHARD</c>, <c>ids/SHARD</c>, <c>shards/SHARD</c> for captions.
/// Outputs: <c>sae</c>, <c>statistics</c>.
/// </summary>
public sealed class SaeTrainingStage : IStage
{
    private const string StateFile = "state.safetensors";
    private const int ReportInterval = 20;

    public string Name => "sae-training";

    public int AlgorithmVersion => 1;

    public JsonObject Normalize(JsonObject parameters) => StageParameters.Normalize<SaeOptions>(parameters, Name, o => o.Validate());

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<SaeOptions>();
        using var scope = NewDisposeScope();
        using var data = await ActivationSet.ReadAsync(context, options, cancel);
        var training = options.For(data.Training.Width, data.Training.Rows);
        using var trainer = await StartAsync(context, data.Training, training, cancel);
        while (!trainer.Done)
        {
            cancel.ThrowIfCancellationRequested();
            trainer.Advance();
            var step = trainer.State.Step;
            if (step % options.CheckpointInterval == 0 && !trainer.Done)
            {
                var path = Path.Combine(context.Scratch, StateFile);
                SafetensorsWriter.Write(path, trainer.State.Tensors);
                await context.Checkpoints.SaveAsync(new Dictionary<string, string> { [StateFile] = path }, new JsonObject { ["step"] = step }, cancel);
            }

            if (step % ReportInterval == 0 || trainer.Done)
            {
                context.Progress.Report(new StageProgress(step, training.Steps, "steps", new Dictionary<string, double> { ["loss"] = trainer.Losses().Total }));
            }
        }

        using var sae = trainer.Export();
        var (figures, features) = FeatureStatistics.Measure(sae, data, options.TopImages, cancel);
        figures["variant"] = training.Variant.Name;
        figures["k"] = training.Variant.K;
        figures["steps"] = training.Steps;
        figures["trainingRows"] = data.Training.Rows;
        figures["deadAfterSamples"] = training.DeadAfterSamples;
        var file = Path.Combine(context.Scratch, "sae.safetensors");
        sae.Save(file);
        var statistics = new JsonObject { ["hook"] = context.Unit, ["figures"] = figures.DeepClone(), ["features"] = features };
        return new StageResult(
            new Dictionary<string, ArtifactRef>
            {
                ["sae"] = await context.Artifacts.PutFileAsync(file, $"{context.Unit}.sae.safetensors", "application/x-safetensors", cancel),
                ["statistics"] = await context.Artifacts.PutBytesAsync(
                    Encoding.UTF8.GetBytes(CanonicalJson.Serialize(statistics)), $"{context.Unit}.statistics.json", "application/json", cancel),
            },
            figures);
    }

    private static async Task<TopKTrainer> StartAsync(StageContext context, IActivationRows rows, SaeTrainingOptions training, CancellationToken cancel)
    {
        if (await context.Checkpoints.LatestAsync(cancel) is not { } checkpoint)
        {
            return TopKTrainer.Start(rows, training);
        }

        using var file = SafetensorsFile.Open(checkpoint.Files[StateFile]);
        var tensors = file.Entries.Keys.ToDictionary(k => k, k => file.Read(k), StringComparer.Ordinal);
        var state = SaeTrainingState.Restore(tensors, training.Variant.Tied, checkpoint.State["step"]!.GetValue<long>());
        // The normalisation is a function of the rows alone, so measuring it again gives the same.
        return TopKTrainer.Resume(rows, training, SaeNormalization.Measure(rows), state);
    }
}
