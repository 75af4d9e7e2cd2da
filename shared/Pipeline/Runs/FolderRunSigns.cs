using System.Text;
using ClipSae.Artifacts;

namespace ClipSae.Pipeline;

/// <summary>Signs in a folder: <c>runs/{run}/stopped</c>, which holds the run's status.</summary>
public sealed class FolderRunSigns(string root) : IRunSigns
{
    private readonly string _runs = Path.Combine(Path.GetFullPath(root), "runs");

    public Task SetAsync(string run, RunStatus status, CancellationToken cancel = default)
    {
        AtomicFile.Write(PathOf(run), Encoding.UTF8.GetBytes(RunSign.Text(status)));
        return Task.CompletedTask;
    }

    public async Task<RunStatus?> FindAsync(string run, CancellationToken cancel = default) =>
        File.Exists(PathOf(run)) ? RunSign.Parse(await File.ReadAllTextAsync(PathOf(run), cancel)) : null;

    private string PathOf(string run) => Path.Combine(_runs, run, "stopped");
}
