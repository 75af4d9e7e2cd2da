using System.Net;
using ClipSae.Servers;
using ClipSae.TestKit.Files;

namespace ClipSae.ObjectStorage.Tests;

public sealed class RemoteFolderTests(SharedServer shared) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private S3ObjectStore _store = null!;

    private string Mirror => _folder.File("remote", "bucket");

    public async ValueTask InitializeAsync() => _store = new S3ObjectStore(await shared.NewBucketAsync(_folder.Path), TimeProvider.System);

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_lies_under_the_prefix_and_nothing_else_is_brought()
    {
        await WriteAsync(("coco/a.png", "a"), ("coco/sub/b c.txt", "b"), ("coco-other/c.png", "c"));

        (await FetchAsync("coco/")).ShouldBe((Path.Combine(Mirror, "coco"), 2));

        Local().ShouldBe([("coco/a.png", "a"), ("coco/sub/b c.txt", "b")]);
    }

    [Fact]
    public async Task Only_what_was_written_since_is_brought_again_be_its_length_the_same()
    {
        await WriteAsync(("coco/a.png", "old"), ("coco/b.png", "old"));
        await FetchAsync("coco");
        var untouched = File.GetLastWriteTimeUtc(Path.Combine(Mirror, "coco", "b.png"));
        await WriteAsync(("coco/a.png", "new"));

        await FetchAsync("coco");

        Local().ShouldBe([("coco/a.png", "new"), ("coco/b.png", "old")]);
        File.GetLastWriteTimeUtc(Path.Combine(Mirror, "coco", "b.png")).ShouldBe(untouched);
    }

    [Fact]
    public async Task Files_of_unknown_version_are_brought_again()
    {
        await WriteAsync(("coco/a.png", "new"));
        Directory.CreateDirectory(Path.Combine(Mirror, "coco"));
        File.WriteAllText(Path.Combine(Mirror, "coco", "a.png"), "old");
        File.WriteAllText(Path.Combine(Mirror, "..", ".bucket.versions"), """["coco/a.png","cut""");

        await FetchAsync("coco");
        await FetchAsync("coco");

        Local().ShouldBe([("coco/a.png", "new")]);
    }

    [Fact]
    public async Task What_was_removed_from_the_bucket_goes_and_other_prefixes_stay()
    {
        await WriteAsync(("coco/a.png", "a"), ("coco/b.png", "b"), ("coco/sub/c.png", "c"), ("other/d.png", "d"));
        await FetchAsync("");
        await RemoveAsync("coco/b.png", "coco/sub/c.png", "other/d.png");
        await WriteAsync(("coco/sub", "now a file"), ("coco/a.png/e.png", "in what was a file"));
        await RemoveAsync("coco/a.png");

        await FetchAsync("coco");

        Local().ShouldBe([("coco/a.png/e.png", "in what was a file"), ("coco/sub", "now a file"), ("other/d.png", "d")]);
    }

    [Fact]
    public async Task A_link_out_of_the_mirror_is_not_followed_when_files_are_removed()
    {
        await WriteAsync(("coco/a.png", "a"));
        await FetchAsync("coco");
        Directory.CreateDirectory(_folder.File("own"));
        File.WriteAllText(_folder.File("own", "precious.txt"), "mine");
        Directory.CreateSymbolicLink(Path.Combine(Mirror, "coco", "linked"), _folder.File("own"));

        await FetchAsync("coco");

        File.Exists(_folder.File("own", "precious.txt")).ShouldBeTrue();
    }

    [Fact]
    public async Task With_one_object_comes_what_belongs_to_it_and_nothing_else()
    {
        await WriteAsync(
            ("models/clip.pt", "weights"),
            ("models/merges.txt", "merges"),
            ("models/other.pt", "x"),
            ("models/deep/merges.txt", "x")
        );

        (await FetchAsync("models/clip.pt", name => name == "merges.txt")).ShouldBe((Path.Combine(Mirror, "models", "clip.pt"), 1));
        Local().ShouldBe([("models/clip.pt", "weights"), ("models/merges.txt", "merges")]);
        await RemoveAsync("models/merges.txt");
        await FetchAsync("models/clip.pt", name => name == "merges.txt");

        Local().ShouldBe([("models/clip.pt", "weights")]);
    }

    [Fact]
    public async Task An_object_that_is_written_while_it_is_brought_is_not_taken_for_the_one_that_was_listed()
    {
        await WriteAsync(("coco/a.png", "old"));
        var listed = (await _store.ListAsync("coco/"))[0];
        await WriteAsync(("coco/a.png", "new"));

        var error = await Should.ThrowAsync<UserErrorException>(() =>
            new ObjectTransfer(_store).DownloadAsync(listed, _folder.File("a"), CancellationToken.None)
        );

        error.Message.ShouldContain("coco/a.png");
        error.Message.ShouldContain("was written meanwhile; run again");
    }

    [Fact]
    public async Task An_object_whose_key_is_a_folder_too_is_named()
    {
        await WriteAsync(("coco/a", "file"), ("coco/a/b.png", "in it"));

        (await Should.ThrowAsync<UserErrorException>(() => FetchAsync("coco"))).Message.ShouldContain(
            "/coco/a is an object and, for coco/a/b.png, a folder too"
        );
    }

    [Theory]
    [InlineData("coco", "coco/../../evil.txt")]
    [InlineData("coco", "coco/../evil.txt")]
    [InlineData("coco", "coco//evil.txt")]
    [InlineData("coco", "coco/./evil.txt")]
    [InlineData("", "../evil.txt")]
    [InlineData("", "..")]
    [InlineData("", ".")]
    [InlineData("", "/evil.txt")]
    public async Task A_key_that_leads_out_of_the_folder_is_refused(string prefix, string key)
    {
        using var server = new FakeServer
        {
            Answers = request =>
                request.Url!.Query.Contains("prefix=", StringComparison.Ordinal)
                    ? (
                        HttpStatusCode.OK,
                        $"""<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>clipsae</Name>"""
                            + $"""<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>{key}</Key>"""
                            + $"""<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag><Size>1</Size></Contents>"""
                            + $"""</ListBucketResult>"""
                    )
                    : null,
        };
        using var store = new S3ObjectStore(server.Options(), TimeProvider.System);

        (await Should.ThrowAsync<UserErrorException>(() => RemoteFolder.FetchAsync(store, prefix, Mirror))).Message.ShouldContain(
            $"{key} would lead out of its folder"
        );
        Directory.Exists(_folder.File("remote")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("coco/../..")]
    [InlineData("..")]
    [InlineData("../coco")]
    public async Task A_prefix_that_leads_out_of_the_folder_is_refused(string prefix) =>
        (await Should.ThrowAsync<UserErrorException>(() => FetchAsync(prefix))).Message.ShouldContain("would lead out of its folder");

    [Fact]
    public async Task Nothing_there_is_said() =>
        (await Should.ThrowAsync<UserErrorException>(() => FetchAsync("none"))).Message.ShouldContain("there is nothing");

    private async Task WriteAsync(params (string Key, string Content)[] objects)
    {
        foreach (var (key, content) in objects)
        {
            await _store.WriteAsync(key, System.Text.Encoding.UTF8.GetBytes(content));
        }
    }

    private async Task RemoveAsync(params string[] keys)
    {
        foreach (var key in keys)
        {
            await _store.RemoveAsync(key);
        }
    }

    private Task<(string Path, int Objects)> FetchAsync(string prefix, Func<string, bool>? beside = null) =>
        RemoteFolder.FetchAsync(_store, prefix, Mirror, beside);

    private IEnumerable<(string Key, string Content)> Local() =>
        Directory
            .GetFiles(Mirror, "*", SearchOption.AllDirectories)
            .Select(file => (Path.GetRelativePath(Mirror, file), File.ReadAllText(file)))
            .OrderBy(file => file.Item1, StringComparer.Ordinal);
}
