using ClipSae.Artifacts;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Coordination;

/// <summary>How a run begins, whoever begins it.</summary>
public sealed class RunBeginning(IEventStore events, IArtifactStore artifacts, TimeProvider time)
{
    /// <summary>
    /// The stages that a run computes, whose units have to be possible: all, or those from the chosen one of a replay on.
    /// </summary>
    public static IEnumerable<StagePlan> ComputedStages(RunSpec spec, RunPlan plan) =>
        plan.Stages.SkipWhile(stage => spec.Origin is { } origin && stage.Stage != ParameterSections.StageOf(origin.FromStage));

    /// <summary>The events of the beginning: that the run started and, of a replay, the results that it takes from its origin.</summary>
    /// <param name="run">The run's name.</param>
    /// <param name="plan">Its plan, with the algorithm versions that it keeps to its end.</param>
    /// <exception cref="UserErrorException">There is no such origin, it lacks the stage to start from, or its events cannot be
    /// read.</exception>
    public async Task<IReadOnlyList<RunEvent>> EventsAsync(string run, RunSpec spec, RunPlan plan, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var taken = spec.Origin is { } origin
            ? await Replay.TakeAsync(
                Replay.StagesBefore(await StateAsync(origin.Run, cancel), origin.FromStage),
                origin.Run,
                artifacts,
                now,
                cancel
            )
            : [];
        return [new RunStarted(run, plan, spec) { At = now }, .. taken];
    }

    private async Task<RunState> StateAsync(string origin, CancellationToken cancel)
    {
        var state = RunState.Fold((await events.ReadAsync(origin, 0, cancel)).Select(stored => stored.Event));
        return state.Start is not null ? state : throw new UserErrorException($"origin: there is no run {origin}");
    }
}
