namespace ClipSae.Pipeline.Tests;

public sealed class InMemoryEventStoreTests : EventStoreContract
{
    private readonly InMemoryEventStore _store = new();

    protected override IEventStore CreateSut() => _store;
}
