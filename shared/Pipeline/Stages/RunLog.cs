using ClipSae.Pipeline.Events;

namespace ClipSae.Pipeline.Stages;

/// <summary>Reads a run's events from the event store.</summary>
internal sealed class RunLog(IEventStore events, string run) : IRunLog
{
    public Task<IReadOnlyList<StoredEvent>> ReadAsync(CancellationToken cancel) => events.ReadAsync(run, 0, cancel);
}
