using System.Text;
using ClipSae.Contracts;

namespace ClipSae.Artifacts.Tests;

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
    public async Task A_missing_source_file_is_a_user_error()
    {
        var error = await Should.ThrowAsync<UserErrorException>(() => Store.PutFileAsync(_folder.File("none.bin"), "none", "x/y"));

        error.Message.ShouldContain("none.bin");
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
