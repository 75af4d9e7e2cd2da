using ClipSae.Artifacts;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Stores;

namespace ClipSae.Pipeline.Tests;

public sealed class FolderCheckpointsTests : CheckpointsContract
{
    private readonly TemporaryFolder _root = new();

    public override void Dispose()
    {
        _root.Dispose();
        base.Dispose();
    }

    protected override IObjectStore Objects() => new FolderObjectStore(_root.Path);
}
