namespace ClipSae.Cli;

/// <summary>Where a unit stands.</summary>
internal enum UnitStatus
{
    Waiting,
    Running,
    Done,
    Cached,
    Failed,
    Stopped,

    /// <summary>Failed, and the run goes on without it.</summary>
    GivenUp,
}
