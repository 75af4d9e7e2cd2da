namespace ClipSae.Pipeline.Tests;

public sealed class FolderRunSignsTests : RunSignsContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("clipsae-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    protected override IRunSigns CreateSut() => new FolderRunSigns(_folder);
}
