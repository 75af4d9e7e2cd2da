using System.Text;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Coordination;

/// <summary>
/// Markers next to the streams of runs of which nothing is to be computed any more, <c>runs/{run}/stopped</c>, so that a worker learns it
/// from one small object and not from a whole stream. The stream alone is the truth: a marker that is missing costs a computation that no
/// one needs.
/// </summary>
public sealed class RunStatusMarkers(IObjectStore store)
{
    /// <summary>Says how a run stands that stops or has ended; a later marker takes the place of an earlier one.</summary>
    public Task SetAsync(string run, RunStatus status, CancellationToken cancel = default) =>
        store.WriteAsync(KeyOf(run), Encoding.UTF8.GetBytes(Text(status)), cancel);

    /// <summary>
    /// How the run stands, <see cref="RunStatus.Stopping"/> where a newer version wrote what is not known here; null where no one has said
    /// that it stops.
    /// </summary>
    public async Task<RunStatus?> FindAsync(string run, CancellationToken cancel = default) =>
        await store.ReadAsync(KeyOf(run), cancel) is { } content
            ? Enum.GetValues<RunStatus>()
                .Where(status => Text(status) == Encoding.UTF8.GetString(content))
                .DefaultIfEmpty(RunStatus.Stopping)
                .First()
            : null;

    private static string Text(RunStatus status) => status.ToString().ToLowerInvariant();

    private static string KeyOf(string run) => $"runs/{run}/stopped";
}
