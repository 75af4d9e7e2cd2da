namespace ClipSae.Pipeline.Runs;

/// <summary>What people are shown of a status, in every command and on every page.</summary>
public static class RunStatusNames
{
    /// <summary>Every name, in the order in which they are offered.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. new[]
        {
            RunStatus.Completed,
            RunStatus.Running,
            RunStatus.Failed,
            RunStatus.Cancelled,
            RunStatus.Stopping,
            RunStatus.Unknown,
        }.Select(Name),
    ];

    /// <summary>done, unfinished, failed, cancelled, stopping or unreadable.</summary>
    public static string Name(this RunStatus status) =>
        status switch
        {
            RunStatus.Completed => "done",
            RunStatus.Running => "unfinished",
            RunStatus.Failed => "failed",
            RunStatus.Cancelled => "cancelled",
            RunStatus.Stopping => "stopping",
            _ => "unreadable",
        };
}
