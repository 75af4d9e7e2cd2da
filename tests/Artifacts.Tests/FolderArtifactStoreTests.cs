using System.Text;
using ClipSae.TestKit.Stores;

namespace ClipSae.Artifacts.Tests;

public sealed class FolderArtifactStoreTests : ArtifactStoreContract
{
    private readonly FolderArtifactStore _store;

    public FolderArtifactStoreTests() => _store = new FolderArtifactStore(Path.Combine(Folder, "data"));

    protected override IArtifactStore Store => _store;

    [Theory]
    [InlineData("tampered")]
    [InlineData("shorter")]
    public async Task A_damaged_blob_is_refused_with_its_path_and_how_to_mend(string damaged)
    {
        var artifact = await _store.PutBytesAsync("original"u8.ToArray(), "model", "application/octet-stream");
        var path = _store.PathOf(artifact.Digest);
        File.Delete(path);
        File.WriteAllText(path, damaged);

        var error = await Should.ThrowAsync<UserErrorException>(() =>
            new FolderArtifactStore(Path.Combine(Folder, "data")).FetchAsync(artifact)
        );

        error.Message.ShouldContain(path);
        error.Message.ShouldContain("delete that file");
        error.Message.ShouldNotContain("\n");
    }

    [Fact]
    public async Task A_change_after_verification_is_noticed()
    {
        var artifact = await _store.PutBytesAsync("original"u8.ToArray(), "model", "application/octet-stream");
        var path = await _store.FetchAsync(artifact);
        File.Delete(path);
        File.WriteAllText(path, "0riginal");
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        await Should.ThrowAsync<UserErrorException>(() => _store.FetchAsync(artifact));
    }

    [Fact]
    public async Task A_missing_blob_is_named()
    {
        var artifact = await _store.PutBytesAsync("x"u8.ToArray(), "sae.safetensors", "application/octet-stream");
        File.Delete(_store.PathOf(artifact.Digest));

        var error = await Should.ThrowAsync<UserErrorException>(() => _store.FetchAsync(artifact));

        error.Message.ShouldContain("sae.safetensors is missing");
    }

    [Fact]
    public async Task Racing_writers_of_equal_content_all_succeed_and_leave_nothing_behind()
    {
        var content = Encoding.UTF8.GetBytes(new string('x', 300_000));

        var artifacts = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => _store.PutBytesAsync(content, "x", "x/y"))));

        artifacts.Distinct().Count().ShouldBe(1);
        StoredFiles().Length.ShouldBe(1);
        Leftovers().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cancelled_put_leaves_nothing_behind()
    {
        var source = Path.Combine(Folder, "big.bin");
        File.WriteAllBytes(source, new byte[4 << 20]);

        await Should.ThrowAsync<OperationCanceledException>(() =>
            _store.PutFileAsync(source, "big", "x/y", new CancellationToken(canceled: true))
        );

        StoredFiles().ShouldBeEmpty();
        Leftovers().ShouldBeEmpty();
    }

    private string[] StoredFiles() => Files("blobs");

    private string[] Leftovers() => [.. Files("scratch").Where(path => Path.GetFileName(path) != "lock")];

    private string[] Files(string folder) =>
        Directory.Exists(Path.Combine(Folder, "data", folder))
            ? Directory.GetFiles(Path.Combine(Folder, "data", folder), "*", SearchOption.AllDirectories)
            : [];
}
