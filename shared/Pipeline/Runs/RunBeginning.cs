using ClipSae.Artifacts;
using ClipSae.Contracts;

namespace ClipSae.Pipeline.Runs;

/// <summary>The events that a run begins with, whoever begins it.</summary>
public static class RunBeginning
{
    /// <summary>That the run started and, of a replay, the results that it takes from its origin.</summary>
    /// <param name="run">The run's name.</param>
    /// <param name="plan">Its plan, with the algorithm versions that it keeps to its end.</param>
    /// <param name="origin">What it replays, and how that run stands; null for none.</param>
    /// <param name="isInteractive">Whether someone waits for it.</param>
    /// <exception cref="UserErrorException">The origin lacks a result that it would take, or the store lacks an artifact of
    /// one.</exception>
    public static async Task<IReadOnlyList<RunEvent>> EventsAsync(
        string run,
        RunRequest request,
        RunPlan plan,
        (ReplayOrigin Origin, RunState State)? origin,
        bool isInteractive,
        IArtifactStore artifacts,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var taken = origin is { } replayed
            ? await Replay.TakeAsync(
                Replay.StagesBefore(replayed.State, replayed.Origin.FromStage),
                replayed.Origin.Run,
                artifacts,
                now,
                cancel
            )
            : [];
        return
        [
            new RunStarted(run, plan, request.Inputs, request.Parameters, request.Seed, origin?.Origin, request.Verify, isInteractive)
            {
                At = now,
            },
            .. taken,
        ];
    }
}
