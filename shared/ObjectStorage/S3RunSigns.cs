using System.Text;
using ClipSae.Pipeline;

namespace ClipSae.ObjectStorage;

/// <summary>Signs in an object store: <c>runs/{run}/stopped</c>, which holds the run's status.</summary>
public sealed class S3RunSigns(ObjectStore store) : IRunSigns
{
    public Task SetAsync(string run, RunStatus status, CancellationToken cancel = default) =>
        store.WriteAsync(KeyOf(run), Encoding.UTF8.GetBytes(RunSign.Text(status)), cancel);

    public async Task<RunStatus?> FindAsync(string run, CancellationToken cancel = default) =>
        await store.ReadAsync(KeyOf(run), cancel) is { } content ? RunSign.Parse(Encoding.UTF8.GetString(content)) : null;

    private static string KeyOf(string run) => $"runs/{run}/stopped";
}
