using ClipSae.Artifacts.Tests;
using ClipSae.Contracts;

namespace ClipSae.ObjectStorage.Tests;

public sealed class RemoteFolderTests(SharedServer shared) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private ObjectStore _store = null!;

    public async ValueTask InitializeAsync() => _store = new ObjectStore(await shared.NewBucketAsync(_folder.Path), TimeProvider.System);

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_lies_under_the_prefix_and_nothing_else_is_brought_and_a_change_again()
    {
        await _store.WriteAsync("coco/a.png", "a"u8.ToArray());
        await _store.WriteAsync("coco/sub/b c.txt", "b"u8.ToArray());
        await _store.WriteAsync("coco-other/c.png", "c"u8.ToArray());

        (await RemoteFolder.FetchAsync(_store, "coco/", _folder.File("local"), CancellationToken.None)).ShouldBe(2);
        File.ReadAllText(_folder.File("local", "sub", "b c.txt")).ShouldBe("b");
        Directory.GetFiles(_folder.File("local"), "*", SearchOption.AllDirectories).Length.ShouldBe(2);
        await _store.WriteAsync("coco/a.png", "longer"u8.ToArray());
        await RemoteFolder.FetchAsync(_store, "coco", _folder.File("local"), CancellationToken.None);

        File.ReadAllText(_folder.File("local", "a.png")).ShouldBe("longer");
    }

    [Fact]
    public async Task A_key_that_leads_out_of_the_folder_is_refused()
    {
        await _store.WriteAsync("coco//etc/evil.txt", "x"u8.ToArray());

        (await Should.ThrowAsync<UserErrorException>(() => RemoteFolder.FetchAsync(_store, "coco", _folder.File("local"), CancellationToken.None))).Message.ShouldContain("evil.txt");
    }

    [Fact]
    public async Task Nothing_there_is_said() =>
        (await Should.ThrowAsync<UserErrorException>(() => RemoteFolder.FetchAsync(_store, "none", _folder.File("local"), CancellationToken.None))).Message.ShouldContain("there is nothing");
}
