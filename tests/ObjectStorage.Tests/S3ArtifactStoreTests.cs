using ClipSae.Artifacts;
using ClipSae.TestKit.Stores;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.ObjectStorage.Tests;

public sealed class S3ArtifactStoreTests(SharedServer shared) : ArtifactStoreContract, IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));
    private ObjectStorageOptions _options = null!;
    private S3ObjectStore _objects = null!;
    private S3ArtifactStore _store = null!;

    protected override IArtifactStore Store => _store;

    public async ValueTask InitializeAsync()
    {
        _options = await shared.NewBucketAsync(Path.Combine(Folder, "cache"));
        _objects = new S3ObjectStore(_options, TimeProvider.System);
        _store = new S3ArtifactStore(_objects, _time);
    }

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        _objects.Dispose();
        Dispose(); // xunit calls only one of the two
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData((5 << 20) - 1)]
    [InlineData(5 << 20)]
    [InlineData((5 << 20) + 1)]
    [InlineData((23 << 20) + 12345)]
    public async Task A_file_of_many_parts_comes_back_as_it_was(int length)
    {
        var source = Path.Combine(Folder, "big.bin");
        var content = new byte[length];
        new Random(length).NextBytes(content);
        File.WriteAllBytes(source, content);

        var artifact = await _store.PutFileAsync(source, "big", "x/y");

        artifact.Digest.ShouldBe(Digest.OfBytes(content));
        (await _objects.ListAsync("blobs/"))
            .Select(found => (found.Key, found.Length))
            .ShouldBe([(S3ArtifactStore.KeyOf(artifact.Digest), length)]);
        Digest.OfFile(await _store.FetchAsync(artifact)).ShouldBe(artifact.Digest);
    }

    // A file that changes between the look at it and the sending stands for bytes that change on their way.
    [Fact]
    public async Task A_part_that_arrives_damaged_is_refused_and_nothing_is_stored()
    {
        var source = Path.Combine(Folder, "changing.bin");
        File.WriteAllBytes(source, new byte[12 << 20]);
        var transfer = new ObjectTransfer(_objects);
        using var file = File.OpenHandle(source, FileMode.Open, FileAccess.ReadWrite);
        var outline = await transfer.OutlineAsync(source, file, TestContext.Current.CancellationToken);
        await outline.Parts!.OfAsync(2);
        RandomAccess.Write(file, [1], (11 << 20) + 5);

        var error = await Should.ThrowAsync<UserErrorException>(() =>
            transfer.UploadAsync(file, outline, "blobs/changing", TestContext.Current.CancellationToken)
        );

        error.Message.ShouldContain("BadDigest");
        (await _objects.ListAsync("blobs/")).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_stored_already_is_not_sent_again()
    {
        var artifact = await _store.PutBytesAsync("content"u8.ToArray(), "x", "x/y");
        await _objects.WriteAsync(S3ArtifactStore.KeyOf(artifact.Digest), "CONTENT"u8.ToArray());

        await _store.PutBytesAsync("content"u8.ToArray(), "x", "x/y");

        // Only a second upload would have mended it.
        (await _objects.ReadAsync(S3ArtifactStore.KeyOf(artifact.Digest)))!.ShouldBe("CONTENT"u8.ToArray());
    }

    [Fact]
    public async Task Damage_in_the_store_is_refused_and_named()
    {
        var artifact = await _store.PutBytesAsync("original"u8.ToArray(), "sae", "x/y");
        await _objects.WriteAsync(S3ArtifactStore.KeyOf(artifact.Digest), "0riginal"u8.ToArray());

        (await Should.ThrowAsync<UserErrorException>(() => _store.FetchAsync(artifact))).Message.ShouldContain(
            "sae is damaged in the object store"
        );
    }

    [Fact]
    public async Task Damage_in_the_cache_is_mended()
    {
        var artifact = await _store.PutBytesAsync("original"u8.ToArray(), "sae", "x/y");
        var path = await _store.FetchAsync(artifact);
        File.Delete(path);
        File.WriteAllText(path, "0riginal");
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        File.ReadAllText(await _store.FetchAsync(artifact)).ShouldBe("original");
    }

    [Fact]
    public async Task A_cached_artifact_is_read_without_the_server()
    {
        var artifact = await _store.PutBytesAsync("kept"u8.ToArray(), "x", "x/y");
        await _store.FetchAsync(artifact);
        await _objects.RemoveAsync(S3ArtifactStore.KeyOf(artifact.Digest));

        File.ReadAllText(await _store.FetchAsync(artifact)).ShouldBe("kept");
    }

    [Fact]
    public async Task The_cache_gives_up_what_was_not_read_for_longest_but_nothing_of_the_last_hour()
    {
        using var small = new S3ArtifactStore(
            new S3ObjectStore(_options with { CacheBytes = 2_500, CacheFolder = Path.Combine(Folder, "small") }, TimeProvider.System),
            _time
        );
        var artifacts = new List<ArtifactRef>();
        for (var i = 0; i < 4; i++)
        {
            artifacts.Add(await small.PutBytesAsync(Enumerable.Repeat((byte)i, 1_000).ToArray(), $"a{i}", "x/y"));
        }

        var first = await small.FetchAsync(artifacts[0]);
        _time.Advance(TimeSpan.FromMinutes(30));
        var second = await small.FetchAsync(artifacts[1]);
        var third = await small.FetchAsync(artifacts[2]);
        File.Exists(first).ShouldBeTrue();
        _time.Advance(TimeSpan.FromMinutes(40));
        await small.FetchAsync(artifacts[3]);

        File.Exists(first).ShouldBeFalse();
        File.Exists(second).ShouldBeTrue();
        File.Exists(third).ShouldBeTrue();
    }
}
