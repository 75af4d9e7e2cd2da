using System.Collections.Immutable;

namespace ClipSae.Pipeline.Runs;

/// <summary>Where one stage of a run stands. Each unit is waiting, outstanding or settled by a fact.</summary>
public sealed record StageState
{
    // 0.29 of 100 units are 29, though their product in floating point is a little less.
    private const double Rounding = 1e-9;

    internal StageState(StagePlan plan)
    {
        Plan = plan;
        ToleratedFailures = ToleratedBy(plan);
        Waiting = [.. plan.Units.Select(unit => unit.Name)];
        Groups =
        [
            .. plan
                .Units.GroupBy(unit => string.Join('\n', NeededStages(plan, unit)), StringComparer.Ordinal)
                .Select(group => new UnitGroup(NeededStages(plan, group.First()), [.. group])),
        ];
    }

    public StagePlan Plan { get; }

    /// <summary>Units that have not been given to a worker.</summary>
    public ImmutableHashSet<string> Waiting { get; private init; }

    /// <summary>Units that a worker has or will have, and that no fact has settled.</summary>
    public ImmutableHashSet<string> Outstanding { get; private init; } = [];

    /// <summary>The fact that settled each unit.</summary>
    public ImmutableDictionary<string, UnitFact> Facts { get; private init; } =
        ImmutableDictionary.Create<string, UnitFact>(StringComparer.Ordinal);

    public int FinishedCount { get; private init; }

    public int FailedCount { get; private init; }

    public int StoppedCount { get; private init; }

    /// <summary>How many units may fail without failing the run.</summary>
    public int ToleratedFailures { get; }

    /// <summary>Failed units that the run continues without: their inputs and outputs are missing for later stages.</summary>
    public ImmutableHashSet<string> GivenUp { get; private init; } = [];

    /// <summary>Whether every unit has its result, but for those given up.</summary>
    public bool IsComplete => FinishedCount + GivenUp.Count == Plan.Units.Count;

    /// <summary>Whether more units failed than are tolerated.</summary>
    public bool HasFailed => FailedCount > ToleratedFailures;

    /// <summary>Whether nothing is left to wait for, and some units failed that may be given up.</summary>
    public bool HasUnitsToGiveUp => FailedCount > GivenUp.Count && !HasFailed && FinishedCount + FailedCount == Plan.Units.Count;

    /// <summary>
    /// Units that need the same stages: they become ready together, so that deciding looks at groups and not at each unit.
    /// </summary>
    internal ImmutableArray<UnitGroup> Groups { get; }

    /// <summary>How many units of a stage may fail: its share of the units, but never all of them.</summary>
    public static int ToleratedBy(StagePlan plan) =>
        Math.Min((int)Math.Floor(plan.ToleratedFailures * plan.Units.Count + Rounding), plan.Units.Count - 1);

    /// <summary>The unit's result, or null where it has none yet.</summary>
    public UnitFinished? Finished(string unit) => Facts.GetValueOrDefault(unit) as UnitFinished;

    /// <summary>Results of all finished units, in the plan's order.</summary>
    public IEnumerable<UnitFinished> FinishedUnits() => Plan.Units.Select(unit => Finished(unit.Name)).OfType<UnitFinished>();

    /// <summary>Failures of units, in the plan's order.</summary>
    public IEnumerable<UnitFailed> FailedUnits() =>
        FailedCount == 0 ? [] : Plan.Units.Select(unit => Facts.GetValueOrDefault(unit.Name)).OfType<UnitFailed>();

    internal StageState GiveUp(IEnumerable<string> units)
    {
        var givenUp = GivenUp.Union(units.Where(unit => Facts.GetValueOrDefault(unit) is UnitFailed));
        return givenUp.Count == GivenUp.Count ? this : this with { GivenUp = givenUp };
    }

    internal StageState Request(IEnumerable<string> units)
    {
        var requested = units.Where(Waiting.Contains).ToArray();
        return requested.Length == 0 ? this : this with { Waiting = Waiting.Except(requested), Outstanding = Outstanding.Union(requested) };
    }

    internal StageState Settle(UnitFact fact)
    {
        if (GivenUp.Contains(fact.Unit))
        {
            // Later stages may have been given out without it: a unit that is back would change what they are.
            return this;
        }

        var earlier = Facts.GetValueOrDefault(fact.Unit);
        if (earlier is null ? !Waiting.Contains(fact.Unit) && !Outstanding.Contains(fact.Unit) : !Supersedes(fact, earlier))
        {
            return this;
        }

        return this with
        {
            Waiting = Waiting.Remove(fact.Unit),
            Outstanding = Outstanding.Remove(fact.Unit),
            Facts = Facts.SetItem(fact.Unit, fact),
            FinishedCount = FinishedCount + Count<UnitFinished>(fact) - Count<UnitFinished>(earlier),
            FailedCount = FailedCount + Count<UnitFailed>(fact) - Count<UnitFailed>(earlier),
            StoppedCount = StoppedCount + Count<UnitStopped>(fact) - Count<UnitStopped>(earlier),
        };
    }

    // A total order on the facts of one unit makes the fold independent of the order in which they came.
    private static bool Supersedes(UnitFact fact, UnitFact earlier)
    {
        var byKind = Rank(fact).CompareTo(Rank(earlier));
        var byTime = byKind != 0 ? byKind : fact.At.CompareTo(earlier.At);
        return (byTime != 0 ? byTime : string.CompareOrdinal(fact.Worker, earlier.Worker)) < 0;
    }

    private static int Rank(UnitFact fact) =>
        fact switch
        {
            UnitFinished => 0,
            UnitFailed => 1,
            _ => 2,
        };

    private static int Count<T>(UnitFact? fact) => fact is T ? 1 : 0;

    private static ImmutableArray<string> NeededStages(StagePlan plan, UnitPlan unit) =>
        [
            .. plan
                .Inputs.Concat(unit.Inputs)
                .Select(selector => InputSource.Parse(selector.From))
                .OfType<InputSource.StageOutput>()
                .Select(output => output.Stage)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    internal sealed record UnitGroup(ImmutableArray<string> Needs, ImmutableArray<UnitPlan> Units);
}
