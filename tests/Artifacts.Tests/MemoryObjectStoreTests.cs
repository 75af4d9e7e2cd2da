using ClipSae.TestKit.Stores;

namespace ClipSae.Artifacts.Tests;

public sealed class MemoryObjectStoreTests : ObjectStoreContract
{
    private readonly MemoryObjectStore _store = new(TimeProvider.System);

    protected override IObjectStore CreateSut() => _store;
}
