using ClipSae.TestKit.Files;
using ClipSae.TestKit.Stores;

namespace ClipSae.Artifacts.Tests;

public sealed class FolderObjectStoreTests : ObjectStoreContract
{
    private readonly TemporaryFolder _folder = new();

    public override void Dispose()
    {
        _folder.Dispose();
        base.Dispose();
    }

    [Theory]
    [InlineData("../up")]
    [InlineData("a/../../up")]
    [InlineData("a//b")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    public async Task A_key_names_no_place_outside_the_folder(string key) =>
        await Should.ThrowAsync<ArgumentException>(() => CreateSut().WriteAsync(key, Bytes("x")));

    [Fact]
    public async Task Folders_that_become_empty_go_but_for_those_at_the_top()
    {
        await CreateSut().WriteAsync("stages/key/result.json", Bytes("{}"));

        await CreateSut().RemoveAsync("stages/key/result.json");

        Directory.Exists(_folder.File("stages", "key")).ShouldBeFalse();
        Directory.Exists(_folder.File("stages")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_link_is_not_followed_by_a_deep_listing()
    {
        var elsewhere = Directory.CreateDirectory(_folder.File("elsewhere")).FullName;
        await File.WriteAllTextAsync(Path.Combine(elsewhere, "secret"), "x", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(_folder.File("store", "blobs"));
        Directory.CreateSymbolicLink(_folder.File("store", "blobs", "link"), elsewhere);

        (await new FolderObjectStore(_folder.File("store")).ListAsync("blobs/")).ShouldBeEmpty();
    }

    protected override IObjectStore CreateSut() => new FolderObjectStore(_folder.Path);
}
