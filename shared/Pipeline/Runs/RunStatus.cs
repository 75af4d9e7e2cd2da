namespace ClipSae.Pipeline.Runs;

/// <summary>Where a run stands.</summary>
public enum RunStatus
{
    /// <summary>No event says that it began.</summary>
    Unknown,

    /// <summary>Units are waiting or at work.</summary>
    Running,

    /// <summary>Cancelled or failed; units at work are giving up.</summary>
    Stopping,

    /// <summary>Every unit has its result.</summary>
    Completed,

    /// <summary>A unit failed.</summary>
    Failed,

    /// <summary>Stopped on request.</summary>
    Cancelled,
}
