using ClipSae.Pipeline.Runs;

namespace ClipSae.Hosting.Runs;

/// <summary>One stage of a run: where it stands, how far its units are, and how long it will take.</summary>
public sealed class StageBoard
{
    // Below this share the pace is guesswork.
    private const double EnoughToExtrapolate = 0.02;
    private StageState _state;

    internal StageBoard(StageState state)
    {
        _state = state;
        Units = state.Plan.Units.ToDictionary(unit => unit.Name, unit => new UnitState(unit.Name), StringComparer.Ordinal);
    }

    public string Stage => _state.Plan.Stage;

    public IReadOnlyDictionary<string, UnitState> Units { get; }

    /// <summary>Units with a result.</summary>
    public int Ended => _state.FinishedCount;

    /// <summary>Units whose result was taken from the store.</summary>
    public int Cached { get; private set; }

    public bool IsFailed => _state.HasFailed;

    /// <summary>Units that the run continues without.</summary>
    public IEnumerable<string> GivenUp => Units.Keys.Where(_state.GivenUp.Contains);

    public bool IsStopped => _state.StoppedCount > 0;

    public bool IsComplete => _state.IsComplete;

    public IEnumerable<UnitState> Running => Units.Values.Where(unit => unit.Status is UnitStatus.Running);

    /// <summary>Share of the stage that is done, 0 to 1; units count equally.</summary>
    public double Share => Units.Count == 0 ? 1 : Units.Values.Average(unit => unit.Share);

    public DateTimeOffset? StartedAt => Units.Values.Min(unit => unit.StartedAt);

    /// <summary>Time from the first unit's start to the last one's end, or to now.</summary>
    public TimeSpan Elapsed(DateTimeOffset now) =>
        StartedAt is { } start ? (IsComplete ? Units.Values.Max(unit => unit.EndedAt)!.Value : now) - start : TimeSpan.Zero;

    /// <summary>Time left at the pace so far; null while that says nothing.</summary>
    public TimeSpan? Left(DateTimeOffset now)
    {
        if (IsComplete || StartedAt is null)
        {
            return null;
        }

        // Cached units and work done before a restart cost no time now, so they say nothing about the pace.
        var worked = Units.Values.Sum(unit => unit.Status is UnitStatus.Cached ? 0 : unit.Share - unit.ShareAtStart);
        var left = Units.Values.Sum(unit => 1 - unit.Share);
        var elapsed = Units.Count == 1 && Units.Values.Single().PhaseStartedAt is { } phase ? now - phase : Elapsed(now);
        return worked > EnoughToExtrapolate ? elapsed * (left / worked) : null;
    }

    /// <summary>Takes over how the stage stands after an event that concerns units.</summary>
    /// <param name="at">When the units ended; by default each when its fact says.</param>
    internal void Follow(StageState state, IEnumerable<string> units, DateTimeOffset? at = null)
    {
        _state = state;
        foreach (var unit in units)
        {
            if (state.Facts.TryGetValue(unit, out var fact))
            {
                Cached -= Units[unit].Status is UnitStatus.Cached ? 1 : 0;
                Units[unit].End(StatusOf(fact), (fact as UnitFinished)?.StartedAt, at ?? fact.At);
                Cached += Units[unit].Status is UnitStatus.Cached ? 1 : 0;
            }
        }
    }

    private UnitStatus StatusOf(UnitFact fact) =>
        fact switch
        {
            UnitFinished { Cache.Kind: CacheKind.Hit } => UnitStatus.Cached,
            UnitFinished => UnitStatus.Done,
            UnitFailed when _state.GivenUp.Contains(fact.Unit) => UnitStatus.GivenUp,
            UnitFailed => UnitStatus.Failed,
            _ => UnitStatus.Stopped,
        };
}
