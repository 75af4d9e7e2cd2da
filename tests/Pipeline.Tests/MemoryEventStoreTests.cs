using ClipSae.Artifacts;
using ClipSae.Pipeline.Events;
using ClipSae.TestKit.Stores;

namespace ClipSae.Pipeline.Tests;

public sealed class MemoryEventStoreTests : EventStoreContract
{
    private readonly MemoryObjectStore _objects = new(TimeProvider.System);

    // Each is as a process of its own: they share nothing but the objects.
    protected override IEventStore CreateSut() => new EventStore(_objects);
}
