using System.Globalization;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Runs;

/// <summary>What to do next, as a pure function of the state.</summary>
public static class RunDecisions
{
    private const int NamesListed = 20;

    /// <summary>
    /// The units that are ready and were not given out. Once <see cref="UnitsRequested"/> events record them, deciding again
    /// gives nothing new.
    /// </summary>
    public static IReadOnlyList<StageCommand> Decide(RunState state)
    {
        if (state.Status != RunStatus.Running)
        {
            return [];
        }

        var inputs = new InputResolver(state);
        return
        [
            .. from stage in state.StagesInOrder()
            where !stage.Waiting.IsEmpty
            from stageGroup in stage.Groups
            where stageGroup.Needs.All(needed => state.Stages.TryGetValue(needed, out var earlier) && earlier.IsComplete)
            from unit in stageGroup.Units
            where stage.Waiting.Contains(unit.Name)
            select Command(state.Start!, stage.Plan, unit, inputs),
        ];
    }

    /// <summary>
    /// The events by which stages that have nothing else to wait for continue without their failed units, within what their plans tolerate.
    /// They come before <see cref="Decide"/>: what is given out afterwards does without those units for good.
    /// </summary>
    public static IReadOnlyList<UnitsGivenUp> GiveUp(RunState state, DateTimeOffset now) =>
        state.Status != RunStatus.Running
            ? []
            :
            [
                .. from stage in state.StagesInOrder()
                where stage.HasUnitsToGiveUp
                select new UnitsGivenUp(stage.Plan.Stage, [.. stage.FailedUnits().Select(failed => failed.Unit)]) { At = now },
            ];

    /// <summary>
    /// The commands of all units that were given out and have no fact yet: sent again when a crash may have lost them. A run that stops
    /// waits for its units too: the worker that finds that it stops says that the unit was stopped.
    /// </summary>
    public static IReadOnlyList<StageCommand> Outstanding(RunState state)
    {
        if (state.Status is not (RunStatus.Running or RunStatus.Stopping))
        {
            return [];
        }

        var inputs = new InputResolver(state);
        return
        [
            .. from stage in state.StagesInOrder()
            where !stage.Outstanding.IsEmpty
            from unit in stage.Plan.Units
            where stage.Outstanding.Contains(unit.Name)
            select Command(state.Start!, stage.Plan, unit, inputs),
        ];
    }

    /// <summary>The events that record a decision.</summary>
    public static IEnumerable<UnitsRequested> Record(IEnumerable<StageCommand> commands, DateTimeOffset now) =>
        commands
            .OfType<RunUnit>()
            .GroupBy(command => command.Stage, StringComparer.Ordinal)
            .Select(stage => new UnitsRequested(stage.Key, [.. stage.Select(command => command.Unit)]) { At = now });

    /// <summary>The run's last event where all is done, or where it is to stop and no unit is at work any more.</summary>
    public static RunEnded? Conclude(RunState state, DateTimeOffset now)
    {
        if (state.Start is null || state.End is not null)
        {
            return null;
        }

        if (state.IsComplete)
        {
            return new RunCompleted { At = now };
        }

        if (state.HasOutstanding)
        {
            return null;
        }

        if (state.FirstFailure() is { } failure)
        {
            return new RunFailed(failure.Stage, failure.Unit, Reason(state.Stages[failure.Stage], failure)) { At = now };
        }

        if (state.CancelRequested)
        {
            return new RunCancelled { At = now };
        }

        return state.FirstStopped() is { } stopped
            ? new RunFailed(
                stopped.Stage,
                stopped.Unit,
                "stopped because another unit had failed, whose result arrived later after all: retry the run"
            )
            {
                At = now,
            }
            : null;
    }

    private static string Reason(StageState stage, UnitFailed failure)
    {
        if (stage.Plan.ToleratedFailures == 0)
        {
            return failure.Reason;
        }

        var names = stage.FailedUnits().Select(failed => failed.Unit).ToArray();
        var more = names.Length > NamesListed ? FormattableString.Invariant($" and {names.Length - NamesListed} more") : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{failure.Reason} ({names.Length} of {stage.Plan.Units.Count} units failed, {stage.ToleratedFailures} are "
                + $"tolerated: {string.Join(", ", names.Take(NamesListed))}{more})"
        );
    }

    private static RunUnit Command(RunStarted start, StagePlan stage, UnitPlan unit, InputResolver inputs) =>
        new(
            start.Run,
            stage.Stage,
            unit.Name,
            StageParameters.Overlay(stage.Parameters, unit.Parameters),
            inputs.Resolve(stage, unit),
            start.Spec.Verify,
            start.Spec.Origin?.Run,
            start.Spec.Interactive,
            AlgorithmVersion: stage.AlgorithmVersion
        );
}
