using System.Collections.Concurrent;
using ClipSae.Pipeline.Coordination;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// Informs the units at work in this process that their run, or the process, is to stop. That a run stops is heard over the bus, and
/// looked up next to its stream: it may have been reported while this process was not there, or not connected.
/// </summary>
public sealed class RunCancellations(RunStatusMarkers markers, TimeProvider time, ILogger<RunCancellations> log) : IDisposable
{
    // A process hears within milliseconds what it is sent now; a look that is this old sees what was reported before.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _runs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long Begun, Lazy<Task> Ended)> _looks = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _process = new();

    /// <summary>Cancelled when the process stops; units then leave no fact, and are run again by the next process.</summary>
    public CancellationToken Process => _process.Token;

    /// <summary>Cancelled when the run is to stop.</summary>
    public CancellationToken Run(string run) => _runs.GetOrAdd(run, _ => new CancellationTokenSource()).Token;

    public void StopRun(string run) => _runs.GetOrAdd(run, _ => new CancellationTokenSource()).Cancel();

    public void StopProcess() => _process.Cancel();

    /// <summary>Looks whether the run stops; units that begin within a moment share one look.</summary>
    public async Task LookAsync(string run, CancellationToken cancel)
    {
        var now = time.GetTimestamp();
        (long Begun, Lazy<Task> Ended) Begin() => (now, new Lazy<Task>(() => LookOnceAsync(run)));
        var look = _looks.AddOrUpdate(run, _ => Begin(), (_, last) => IsFresh(last, now) ? last : Begin());
        await look.Ended.Value.WaitAsync(cancel);
    }

    /// <summary>Looks every few seconds whether the run stops, until cancelled. A look that fails is made up for by the next.</summary>
    public async Task WatchAsync(string run, CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(BetweenLooks, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await LookAsync(run, cancel);
            }
            catch (Exception error) when (!cancel.IsCancellationRequested)
            {
                log.LogDebug(error, "cannot check whether run {Run} was cancelled", run);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _process.Dispose();
        foreach (var run in _runs.Values)
        {
            run.Dispose();
        }
    }

    private bool IsFresh((long Begun, Lazy<Task> Ended) look, long now) =>
        time.GetElapsedTime(look.Begun, now) < Moment && !(look.Ended.IsValueCreated && look.Ended.Value.IsFaulted);

    private async Task LookOnceAsync(string run)
    {
        if (await markers.FindAsync(run) is not null)
        {
            StopRun(run);
        }
    }
}
