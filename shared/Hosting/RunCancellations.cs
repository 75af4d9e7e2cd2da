using System.Collections.Concurrent;

namespace ClipSae.Hosting;

/// <summary>Tells the units at work in this process that their run, or the process, is to stop.</summary>
public sealed class RunCancellations : IDisposable
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _runs = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _process = new();

    /// <summary>Cancelled when the process stops; units then leave no fact, and are run again by the next process.</summary>
    public CancellationToken Process => _process.Token;

    /// <summary>Cancelled when the run is to stop.</summary>
    public CancellationToken Run(string run) => _runs.GetOrAdd(run, _ => new CancellationTokenSource()).Token;

    public void StopRun(string run) => _runs.GetOrAdd(run, _ => new CancellationTokenSource()).Cancel();

    public void StopProcess() => _process.Cancel();

    public void Dispose()
    {
        _process.Dispose();
        foreach (var run in _runs.Values)
        {
            run.Dispose();
        }
    }
}
