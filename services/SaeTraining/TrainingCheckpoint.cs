using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;
using ClipSae.Sae;
using ClipSae.Sae.Steps;
using ClipSae.Sae.Training;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>
/// The trainer's state in a checkpoint: all its tensors, and the step, from which learning rate, epoch and position in the data follow.
/// </summary>
internal static class TrainingCheckpoint
{
    private const string StateFile = "state.safetensors";
    private const string StepKey = "step";

    /// <summary>A trainer that continues from the latest checkpoint, or a new one if there is none.</summary>
    public static async Task<TopKTrainer> StartOrResumeAsync(
        StageContext context,
        IActivationRows rows,
        SaeTrainingOptions training,
        Device device,
        CancellationToken cancel
    ) =>
        await context.Checkpoints.LatestAsync(cancel) is { } checkpoint
            ? Resume(checkpoint, rows, training, device)
            : TopKTrainer.Start(rows, training, device);

    private static TopKTrainer Resume(Checkpoint checkpoint, IActivationRows rows, SaeTrainingOptions training, Device device)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(checkpoint.Files[StateFile]);
        var tensors = file.Entries.Keys.ToDictionary(key => key, file.Read, StringComparer.Ordinal);
        var state = SaeTrainingState.Restore(tensors, training.Variant.Tied, checkpoint.State[StepKey]!.GetValue<long>(), device);
        // The normalisation is a function of the rows alone, so measuring it again gives the same.
        return TopKTrainer.Resume(rows, training, SaeNormalization.Measure(rows), state);
    }

    public static Task SaveAsync(StageContext context, TopKTrainer trainer, CancellationToken cancel)
    {
        var path = Path.Combine(context.Scratch, StateFile);
        SafetensorsWriter.Write(path, trainer.State.Tensors);
        return context.Checkpoints.SaveAsync(
            new Dictionary<string, string> { [StateFile] = path },
            new JsonObject { [StepKey] = trainer.State.Step },
            cancel
        );
    }
}
