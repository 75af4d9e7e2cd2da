using System.Text;
using ClipSae.Artifacts;
using ClipSae.TestKit.Files;

namespace ClipSae.TestKit.Stores;

/// <summary>What every artifact store must do. Each adapter runs it.</summary>
public abstract class ArtifactStoreContract : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    protected string Folder => _folder.Path;

    protected abstract IArtifactStore Store { get; }

    public virtual void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Bytes_and_a_file_of_equal_content_are_one_artifact()
    {
        var source = _folder.File("hello.txt");
        File.WriteAllText(source, "hello");

        var fromFile = await Store.PutFileAsync(source, "hello.txt", "text/plain");
        var fromBytes = await Store.PutBytesAsync("hello"u8.ToArray(), "hello.txt", "text/plain");

        fromBytes.ShouldBe(fromFile);
        // printf hello | sha256sum
        fromFile.Digest.ShouldBe("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        fromFile.Length.ShouldBe(5);
        File.ReadAllText(await Store.FetchAsync(fromFile)).ShouldBe("hello");
        (await Store.ExistsAsync(fromFile.Digest)).ShouldBeTrue();
    }

    [Fact]
    public async Task Nothing_at_all_is_an_artifact_too()
    {
        var source = _folder.File("empty");
        File.WriteAllText(source, "");

        var artifact = await Store.PutFileAsync(source, "empty", "x/y");

        artifact.Length.ShouldBe(0);
        (await Store.PutBytesAsync(ReadOnlyMemory<byte>.Empty, "empty", "x/y")).ShouldBe(artifact);
        File.ReadAllBytes(await Store.FetchAsync(artifact)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_nobody_put_is_not_there()
    {
        var nobody = new ArtifactRef("sha256:" + new string('0', 64), 1, "x/y", "sae.safetensors");

        (await Store.ExistsAsync(nobody.Digest)).ShouldBeFalse();
        (await Should.ThrowAsync<UserErrorException>(() => Store.FetchAsync(nobody))).Message.ShouldContain("sae.safetensors is missing");
    }

    [Fact]
    public async Task The_source_file_stays_the_callers_own()
    {
        var source = _folder.File("a.bin");
        File.WriteAllText(source, "first");
        var artifact = await Store.PutFileAsync(source, "a", "application/octet-stream");

        File.WriteAllText(source, "later");

        File.ReadAllText(await Store.FetchAsync(artifact)).ShouldBe("first");
    }

    [Fact]
    public async Task A_file_that_is_taken_is_gone_and_its_content_is_there()
    {
        var source = _folder.File("a.bin");
        File.WriteAllText(source, "first");

        var artifact = await Store.TakeFileAsync(source, "a", "application/octet-stream");

        File.Exists(source).ShouldBeFalse();
        artifact.ShouldBe(await Store.PutBytesAsync("first"u8.ToArray(), "a", "application/octet-stream"));
        File.ReadAllText(await Store.FetchAsync(artifact)).ShouldBe("first");
    }

    [Fact]
    public async Task A_file_that_is_stored_already_can_be_taken_again()
    {
        var first = await Store.PutBytesAsync("again"u8.ToArray(), "a", "x/y");
        var source = _folder.File("a.bin");
        File.WriteAllText(source, "again");

        (await Store.TakeFileAsync(source, "a", "x/y")).ShouldBe(first);

        File.Exists(source).ShouldBeFalse();
        File.ReadAllText(await Store.FetchAsync(first)).ShouldBe("again");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_that_was_digested_while_it_was_written_has_the_digest_of_its_content(bool isTaken)
    {
        var content = new byte[(12 << 20) + 777];
        new Random(3).NextBytes(content);
        var source = _folder.File("written.bin");
        using (var file = new DigestedFile(source))
        {
            file.Write(content.AsSpan(0, 100));
            file.Write(content.AsSpan(100));
            file.Complete();
        }

        WrittenDigests.Find(source).ShouldBe(Digest.OfBytes(content));
        var artifact = isTaken ? await Store.TakeFileAsync(source, "w", "x/y") : await Store.PutFileAsync(source, "w", "x/y");

        artifact.Digest.ShouldBe(Digest.OfBytes(content));
        Digest.OfFile(await Store.FetchAsync(artifact)).ShouldBe(artifact.Digest);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_that_was_changed_after_it_was_written_has_the_digest_of_what_it_is(bool isTaken)
    {
        var source = _folder.File("written.bin");
        using (var file = new DigestedFile(source))
        {
            file.Write("before"u8);
            file.Complete();
        }

        File.WriteAllText(source, "after!");
        File.SetLastWriteTimeUtc(source, DateTime.UnixEpoch); // the clock of a file may tick in milliseconds only
        WrittenDigests.Find(source).ShouldBeNull();

        var artifact = isTaken ? await Store.TakeFileAsync(source, "w", "x/y") : await Store.PutFileAsync(source, "w", "x/y");

        artifact.Digest.ShouldBe(Digest.OfBytes("after!"u8));
    }

    [Fact]
    public async Task A_missing_source_file_is_a_user_error()
    {
        var path = _folder.File("none.bin");

        (await Should.ThrowAsync<UserErrorException>(() => Store.PutFileAsync(path, "none", "x/y"))).Message.ShouldContain("none.bin");
        (await Should.ThrowAsync<UserErrorException>(() => Store.TakeFileAsync(path, "none", "x/y"))).Message.ShouldContain("none.bin");
    }

    [Fact]
    public async Task Racing_writers_of_equal_content_all_succeed()
    {
        var content = Encoding.UTF8.GetBytes(new string('x', 300_000));

        var artifacts = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Store.PutBytesAsync(content, "x", "x/y"))));

        artifacts.Distinct().Count().ShouldBe(1);
        File.ReadAllBytes(await Store.FetchAsync(artifacts[0])).ShouldBe(content);
    }

    [Fact]
    public async Task Racing_readers_get_the_same_content()
    {
        var content = Encoding.UTF8.GetBytes(new string('r', 500_000));
        var artifact = await Store.PutBytesAsync(content, "r", "x/y");

        var paths = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Store.FetchAsync(artifact))));

        paths.Distinct().Count().ShouldBe(1);
        File.ReadAllBytes(paths[0]).ShouldBe(content);
    }
}
