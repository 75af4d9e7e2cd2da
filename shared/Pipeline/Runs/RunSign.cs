namespace ClipSae.Pipeline;

/// <summary>How a sign beside a run's stream is written: the status in small letters.</summary>
public static class RunSign
{
    public static string Text(RunStatus status) => status.ToString().ToLowerInvariant();

    /// <summary>The status that a sign tells; <see cref="RunStatus.Stopping"/> where a newer version wrote what is not known here.</summary>
    public static RunStatus Parse(string text) => Enum.GetValues<RunStatus>().Where(status => Text(status) == text).DefaultIfEmpty(RunStatus.Stopping).First();
}
