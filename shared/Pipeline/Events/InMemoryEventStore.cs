using System.Collections.Concurrent;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>Event streams that live as long as the process: for tests and trials.</summary>
public sealed class InMemoryEventStore : IEventStore
{
    private readonly ConcurrentDictionary<string, List<RunEvent>> _streams = new(StringComparer.Ordinal);

    public Task<bool> TryAppendAsync(string run, long version, IReadOnlyList<RunEvent> events, CancellationToken cancel = default)
    {
        RunName.Require(run);
        ArgumentOutOfRangeException.ThrowIfZero(events.Count);
        if (version == 0)
        {
            return Task.FromResult(_streams.TryAdd(run, [.. events]));
        }

        if (!_streams.TryGetValue(run, out var stream))
        {
            return Task.FromResult(false);
        }

        lock (stream)
        {
            if (stream.Count != version)
            {
                return Task.FromResult(false);
            }

            stream.AddRange(events);
            return Task.FromResult(true);
        }
    }

    public Task<IReadOnlyList<StoredEvent>> ReadAsync(string run, long version = 0, CancellationToken cancel = default)
    {
        if (!_streams.TryGetValue(run, out var stream))
        {
            return Task.FromResult<IReadOnlyList<StoredEvent>>([]);
        }

        lock (stream)
        {
            return Task.FromResult<IReadOnlyList<StoredEvent>>(
                [.. stream.Skip((int)version).Select((stored, index) => new StoredEvent(version + index + 1, stored))]);
        }
    }

    public Task<IReadOnlyList<string>> ListRunsAsync(CancellationToken cancel = default) =>
        Task.FromResult<IReadOnlyList<string>>([.. _streams.Keys.Order(StringComparer.Ordinal)]);
}
