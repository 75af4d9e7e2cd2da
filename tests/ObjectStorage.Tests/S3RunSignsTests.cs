using ClipSae.Pipeline;
using ClipSae.Pipeline.Tests;

namespace ClipSae.ObjectStorage.Tests;

public sealed class S3RunSignsTests(SharedServer shared) : RunSignsContract, IAsyncLifetime
{
    private ObjectStore _store = null!;

    public async ValueTask InitializeAsync() => _store = new ObjectStore(await shared.NewBucketAsync(Path.GetTempPath()), TimeProvider.System);

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override IRunSigns CreateSut() => new S3RunSigns(_store);
}
