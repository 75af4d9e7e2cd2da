using ClipSae.Artifacts;
using ClipSae.TestKit.Stores;

namespace ClipSae.ObjectStorage.Tests;

public sealed class S3ObjectStoreTests(SharedServer shared) : ObjectStoreContract, IAsyncLifetime
{
    private S3ObjectStore _store = null!;

    public async ValueTask InitializeAsync() =>
        _store = new S3ObjectStore(await shared.NewBucketAsync(Path.GetTempPath()), TimeProvider.System);

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        Dispose();
        return ValueTask.CompletedTask;
    }

    protected override IObjectStore CreateSut() => _store;
}
