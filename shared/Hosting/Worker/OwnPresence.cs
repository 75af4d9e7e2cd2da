using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Hosting.Worker;

/// <summary>Who this process is as a worker, and what it works on.</summary>
public sealed class OwnPresence(
    IEnumerable<IStage> stages,
    WorkerTraits traits,
    WorkerDevice device,
    WorkerFitness fitness,
    UnitsInProgress atWork
)
{
    /// <summary>Whether it works on any unit. Asking more of an idle process would load what computes.</summary>
    public bool IsAtWork => atWork.Names().Count > 0;

    public WorkerPresent Now() =>
        new(
            StageRunner.Worker,
            WorkerTraits.Software,
            stages.ToDictionary(stage => stage.Name, stage => stage.AlgorithmVersion, StringComparer.Ordinal),
            traits.Threads,
            device.Current,
            atWork.Names(),
            device.Lost ?? fitness.Unfit()
        );
}
