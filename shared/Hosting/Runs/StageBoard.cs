namespace ClipSae.Hosting.Runs;

/// <summary>One stage of a watched run: its units, how far it is, and how long it will take.</summary>
/// <param name="stage">Name of the stage.</param>
/// <param name="units">Names of its units.</param>
/// <param name="tolerated">How many of them may fail without failing the run.</param>
public sealed class StageBoard(string stage, IEnumerable<string> units, int tolerated = 0)
{
    // Below this share the pace is guesswork.
    private const double EnoughToExtrapolate = 0.02;

    public string Stage { get; } = stage;

    public IReadOnlyDictionary<string, UnitState> Units { get; } =
        units.ToDictionary(name => name, name => new UnitState(name), StringComparer.Ordinal);

    public int Ended => Units.Values.Count(unit => unit.Status is UnitStatus.Done or UnitStatus.Cached);

    public int Cached => Units.Values.Count(unit => unit.Status is UnitStatus.Cached);

    public bool IsFailed => Units.Values.Count(unit => unit.Status is UnitStatus.Failed or UnitStatus.GivenUp) > tolerated;

    /// <summary>Units that the run goes on without.</summary>
    public IEnumerable<string> GivenUp => Units.Values.Where(unit => unit.Status is UnitStatus.GivenUp).Select(unit => unit.Name);

    public bool IsStopped => Units.Values.Any(unit => unit.Status is UnitStatus.Stopped);

    public bool IsComplete => Ended + GivenUp.Count() == Units.Count;

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
}
