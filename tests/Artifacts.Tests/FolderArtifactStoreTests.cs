using System.Text;
using ClipSae.Contracts;

namespace ClipSae.Artifacts.Tests;

public sealed class FolderArtifactStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FolderArtifactStore _store;

    public FolderArtifactStoreTests() => _store = new FolderArtifactStore(_folder.File("data"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bytes_and_a_file_of_equal_content_are_one_artifact()
    {
        var source = _folder.File("hello.txt");
        File.WriteAllText(source, "hello");

        var fromFile = await _store.PutFileAsync(source, "hello.txt", "text/plain");
        var fromBytes = await _store.PutBytesAsync("hello"u8.ToArray(), "hello.txt", "text/plain");

        fromBytes.ShouldBe(fromFile);
        // printf hello | sha256sum
        fromFile.Digest.ShouldBe("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        fromFile.Length.ShouldBe(5);
        File.ReadAllText(await _store.FetchAsync(fromFile)).ShouldBe("hello");
        (await _store.ExistsAsync(fromFile.Digest)).ShouldBeTrue();
    }

    [Fact]
    public async Task The_source_file_stays_the_callers_own()
    {
        var source = _folder.File("a.bin");
        File.WriteAllText(source, "first");
        var artifact = await _store.PutFileAsync(source, "a", "application/octet-stream");

        File.WriteAllText(source, "later");

        File.ReadAllText(await _store.FetchAsync(artifact)).ShouldBe("first");
    }

    [Theory]
    [InlineData("tampered")]
    [InlineData("shorter")]
    public async Task A_damaged_blob_is_refused_with_its_path_and_how_to_mend(string damaged)
    {
        var artifact = await _store.PutBytesAsync("original"u8.ToArray(), "model", "application/octet-stream");
        var path = _store.PathOf(artifact.Digest);
        File.Delete(path);
        File.WriteAllText(path, damaged);

        var error = await Should.ThrowAsync<UserErrorException>(() => new FolderArtifactStore(_folder.File("data")).FetchAsync(artifact));

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
    public async Task A_missing_source_file_is_a_user_error()
    {
        var error = await Should.ThrowAsync<UserErrorException>(() => _store.PutFileAsync(_folder.File("none.bin"), "none", "x/y"));

        error.Message.ShouldContain("none.bin");
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
        var source = _folder.File("big.bin");
        File.WriteAllBytes(source, new byte[4 << 20]);

        await Should.ThrowAsync<OperationCanceledException>(() => _store.PutFileAsync(source, "big", "x/y", new CancellationToken(canceled: true)));

        StoredFiles().ShouldBeEmpty();
        Leftovers().ShouldBeEmpty();
    }

    private string[] StoredFiles() => Files("blobs");

    private string[] Leftovers() => [.. Files("scratch").Where(path => Path.GetFileName(path) != "lock")];

    private string[] Files(string folder) =>
        Directory.Exists(_folder.File("data", folder)) ? Directory.GetFiles(_folder.File("data", folder), "*", SearchOption.AllDirectories) : [];
}
