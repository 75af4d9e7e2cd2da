using System.Collections.Concurrent;

namespace ClipSae.Artifacts;

/// <summary>
/// Locks within this process alone, for stores that several machines share. Two workers that compute one key at once, after a network was
/// cut, give equal bytes under equal names; waiting for a lease of a worker that was killed would cost every recovery more than that.
/// </summary>
public sealed class ProcessKeyLocks : IKeyLocks
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _held = new(StringComparer.Ordinal);

    public async Task<IDisposable> HoldAsync(string key, CancellationToken cancel = default)
    {
        var turn = _held.GetOrAdd(key, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancel);
        return new Held(turn);
    }

    private sealed class Held(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
