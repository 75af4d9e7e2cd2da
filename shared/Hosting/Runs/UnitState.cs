namespace ClipSae.Hosting.Runs;

/// <summary>What is known of one unit while a run is watched.</summary>
public sealed class UnitState(string name)
{
    public string Name { get; } = name;

    public UnitStatus Status { get; private set; } = UnitStatus.Waiting;

    public DateTimeOffset? StartedAt { get; private set; }

    public DateTimeOffset? EndedAt { get; private set; }

    public UnitProgress? Latest { get; private set; }

    /// <summary>When what is counted now began: a stage may count one thing after another, such as ablations and then images.</summary>
    public DateTimeOffset? PhaseStartedAt { get; private set; }

    /// <summary>Share that was done when the phase was first heard of: above 0 where it continues from a checkpoint.</summary>
    public double ShareAtStart { get; private set; }

    /// <summary>Share of the unit that is done, 0 to 1.</summary>
    public double Share => Status is UnitStatus.Done or UnitStatus.Cached or UnitStatus.GivenUp ? 1 : ShareOf(Latest);

    public void Report(UnitProgress progress, DateTimeOffset at)
    {
        if (Status is UnitStatus.Waiting)
        {
            Status = UnitStatus.Running;
            StartedAt = at;
        }

        if (PhaseStartedAt is null || Latest?.Items != progress.Items)
        {
            (PhaseStartedAt, ShareAtStart) = (at, ShareOf(progress));
        }

        Latest = progress;
    }

    public void End(UnitStatus status, DateTimeOffset? startedAt, DateTimeOffset at)
    {
        Status = status;
        StartedAt = startedAt ?? StartedAt ?? at;
        EndedAt = at;
    }

    private static double ShareOf(UnitProgress? progress) =>
        progress is { Total: > 0 } ? Math.Clamp((double)progress.Done / progress.Total, 0, 1) : 0;
}
