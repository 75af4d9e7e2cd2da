namespace ClipSae.Hosting.Runs;

/// <summary>Where a unit stands.</summary>
public enum UnitStatus
{
    Waiting,
    Running,
    Done,
    Cached,
    Failed,
    Stopped,

    /// <summary>Failed, and the run continues without it.</summary>
    GivenUp,
}
