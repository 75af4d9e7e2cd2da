using ClipSae.Artifacts;
using ClipSae.TestKit.Stores;

namespace ClipSae.Pipeline.Tests;

public sealed class FolderCheckpointsTests : CheckpointsContract
{
    private readonly string _root = Directory.CreateTempSubdirectory("clipsae-test-").FullName;

    public override void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        base.Dispose();
    }

    protected override IObjectStore Objects() => new FolderObjectStore(_root);
}
