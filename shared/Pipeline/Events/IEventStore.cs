namespace ClipSae.Pipeline.Events;

/// <summary>Streams of events, one a run. What was appended is never changed; two writers never both own a place in a stream.</summary>
public interface IEventStore
{
    /// <summary>Appends events at once, all or none, right after <paramref name="version"/>.</summary>
    /// <param name="version">The sequence of the last event that the writer knows; 0 for a new run.</param>
    /// <returns>False where someone else has appended since, or the stream never had this version: read and decide again.</returns>
    Task<bool> TryAppendAsync(string run, long version, IReadOnlyList<RunEvent> events, CancellationToken cancel = default);

    /// <summary>Reads the events after <paramref name="version"/>, in order; none for an unknown run.</summary>
    /// <exception cref="UserErrorException">Something stored cannot be read; the message names it.</exception>
    Task<IReadOnlyList<StoredEvent>> ReadAsync(string run, long version = 0, CancellationToken cancel = default);

    /// <summary>The names of all runs, in ordinal order.</summary>
    Task<IReadOnlyList<string>> ListRunsAsync(CancellationToken cancel = default);
}
