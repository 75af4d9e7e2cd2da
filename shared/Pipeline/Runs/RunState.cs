using System.Collections.Immutable;

namespace ClipSae.Pipeline.Runs;

/// <summary>All there is to know about a run: a pure fold of its events.</summary>
public sealed record RunState
{
    public static RunState Empty { get; } = new();

    /// <summary>What the run computes; null before it began.</summary>
    public RunStarted? Start { get; private init; }

    /// <summary>Stages by name.</summary>
    public ImmutableDictionary<string, StageState> Stages { get; private init; } =
        ImmutableDictionary.Create<string, StageState>(StringComparer.Ordinal);

    public bool CancelRequested { get; private init; }

    /// <summary>The run's last event, once it is there. Nothing after it counts.</summary>
    public RunEnded? End { get; private init; }

    public RunStatus Status =>
        End switch
        {
            RunCompleted => RunStatus.Completed,
            RunFailed => RunStatus.Failed,
            RunCancelled => RunStatus.Cancelled,
            _ when Start is null => RunStatus.Unknown,
            _ => CancelRequested || HasFailure || HasStopped ? RunStatus.Stopping : RunStatus.Running,
        };

    /// <summary>Whether more units of a stage failed than its plan tolerates.</summary>
    public bool HasFailure => Stages.Values.Any(stage => stage.HasFailed);

    /// <summary>
    /// Whether units were given up. They are not given out again: the run cannot complete, even where the failure for which they were given
    /// up was overtaken by the unit's result.
    /// </summary>
    public bool HasStopped => Stages.Values.Any(stage => stage.StoppedCount > 0);

    public bool HasOutstanding => Stages.Values.Any(stage => !stage.Outstanding.IsEmpty);

    public bool IsComplete => Start is not null && Stages.Values.All(stage => stage.IsComplete);

    /// <summary>Stages in the plan's order.</summary>
    public IEnumerable<StageState> StagesInOrder() => Start is null ? [] : Start.Plan.Stages.Select(stage => Stages[stage.Stage]);

    /// <summary>Results of a stage's finished units, in the plan's order.</summary>
    public IEnumerable<UnitFinished> Finished(string stage) => Stages.GetValueOrDefault(stage)?.FinishedUnits() ?? [];

    /// <summary>A unit's result, or null where it has none yet.</summary>
    public UnitFinished? Finished(string stage, string unit) => Stages.GetValueOrDefault(stage)?.Finished(unit);

    /// <summary>An output of a stage's first finished unit, which of most stages is the only one.</summary>
    public ArtifactRef? Output(string stage, string output) => Finished(stage).FirstOrDefault()?.Outputs.GetValueOrDefault(output);

    /// <summary>Failed units that the run continued without, in the plan's order.</summary>
    public IEnumerable<UnitFailed> Missing() =>
        StagesInOrder().SelectMany(stage => stage.FailedUnits().Where(failed => stage.GivenUp.Contains(failed.Unit)));

    /// <summary>The earliest failure that fails the run, or null if there is none or what failed is tolerated.</summary>
    public UnitFailed? FirstFailure() => Earliest<UnitFailed>(stage => stage.HasFailed);

    /// <summary>The earliest unit that was given up, or null if there is none.</summary>
    public UnitStopped? FirstStopped() => Earliest<UnitStopped>(stage => stage.StoppedCount > 0);

    public static RunState Fold(IEnumerable<RunEvent> events) => events.Aggregate(Empty, (state, happened) => state.Apply(happened));

    /// <summary>The state after one more event; the very same state where the event adds nothing.</summary>
    public RunState Apply(RunEvent happened) =>
        End is not null
            ? this
            : happened switch
            {
                RunStarted started => Start is null ? Begin(started) : this,
                _ when Start is null => this,
                UnitsRequested requested => Change(requested.Stage, stage => stage.Request(requested.Units)),
                UnitsGivenUp givenUp => Change(givenUp.Stage, stage => stage.GiveUp(givenUp.Units)),
                UnitFact fact => Change(fact.Stage, stage => stage.Settle(fact)),
                RunCancelRequested => CancelRequested ? this : this with { CancelRequested = true },
                RunEnded ended => this with { End = ended },
                _ => this,
            };

    private TFact? Earliest<TFact>(Func<StageState, bool> concerns)
        where TFact : UnitFact =>
        Stages
            .Values.Where(concerns)
            .SelectMany(stage => stage.Facts.Values)
            .OfType<TFact>()
            .OrderBy(fact => fact.At)
            .ThenBy(fact => fact.Stage, StringComparer.Ordinal)
            .ThenBy(fact => fact.Unit, StringComparer.Ordinal)
            .FirstOrDefault();

    private RunState Begin(RunStarted started) =>
        this with
        {
            Start = started,
            Stages = started.Plan.Stages.ToImmutableDictionary(plan => plan.Stage, plan => new StageState(plan), StringComparer.Ordinal),
        };

    private RunState Change(string stage, Func<StageState, StageState> change)
    {
        if (!Stages.TryGetValue(stage, out var before))
        {
            return this;
        }

        var after = change(before);
        return ReferenceEquals(after, before) ? this : this with { Stages = Stages.SetItem(stage, after) };
    }
}
