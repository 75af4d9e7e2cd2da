using System.Collections.Concurrent;
using ClipSae.Contracts;

namespace ClipSae.Hosting;

/// <summary>The units this process has taken up: a command that comes twice is worked on once, and no more at a time than allowed.</summary>
public sealed class UnitsAtWork(ClipSaeOptions options) : IDisposable
{
    private readonly ConcurrentDictionary<(string Run, string Stage, string Unit), byte> _taken = new();
    private readonly SemaphoreSlim _places = new(options.UnitsAtOnce);

    /// <summary>Waits for a place. Null where the unit is already being worked on.</summary>
    public async Task<IDisposable?> TryTakeAsync(RunUnit unit, CancellationToken cancel)
    {
        var name = (unit.Run, unit.Stage, unit.Unit);
        if (!_taken.TryAdd(name, 0))
        {
            return null;
        }

        try
        {
            await _places.WaitAsync(cancel);
        }
        catch
        {
            _taken.TryRemove(name, out _);
            throw;
        }

        return new Place(this, name);
    }

    public void Dispose() => _places.Dispose();

    private sealed class Place(UnitsAtWork owner, (string Run, string Stage, string Unit) name) : IDisposable
    {
        public void Dispose()
        {
            owner._places.Release();
            owner._taken.TryRemove(name, out _);
        }
    }
}
