using System.Collections.Concurrent;
using ClipSae.Contracts;

namespace ClipSae.Hosting;

/// <summary>The units this process has taken up: a command that comes twice is worked on once, and no more at a time than allowed.</summary>
public sealed class UnitsAtWork(ClipSaeOptions options) : IDisposable
{
    private readonly ConcurrentDictionary<(string Run, string Stage, string Unit), TaskCompletionSource> _taken = new();
    private readonly SemaphoreSlim _places = new(options.UnitsAtOnce);

    /// <summary>
    /// Waits for a place. Where the unit is being worked on already, waits until that has ended and gives null: the second
    /// delivery of a unit must stay open as long as the first, or a crash would leave none.
    /// </summary>
    public async Task<IDisposable?> TryTakeAsync(RunUnit unit, CancellationToken cancel)
    {
        var name = (unit.Run, unit.Stage, unit.Unit);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var holder = _taken.GetOrAdd(name, ended);
        if (holder != ended)
        {
            await holder.Task.WaitAsync(cancel);
            return null;
        }

        try
        {
            await _places.WaitAsync(cancel);
        }
        catch
        {
            _taken.TryRemove(name, out _);
            ended.SetResult();
            throw;
        }

        return new Place(this, name, ended);
    }

    public void Dispose() => _places.Dispose();

    private sealed class Place(UnitsAtWork owner, (string Run, string Stage, string Unit) name, TaskCompletionSource ended) : IDisposable
    {
        public void Dispose()
        {
            owner._places.Release();
            owner._taken.TryRemove(name, out _);
            ended.SetResult();
        }
    }
}
