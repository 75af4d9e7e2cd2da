using System.Text;
using ClipSae.Artifacts;
using ClipSae.TestKit.Files;

namespace ClipSae.TestKit.Stores;

/// <summary>What every object store must do. Each adapter runs it.</summary>
public abstract class ObjectStoreContract : IDisposable
{
    private readonly TemporaryFolder _files = new();

    /// <summary>A store as another process would open it: what was written before is in it.</summary>
    protected abstract IObjectStore CreateSut();

    public virtual void Dispose()
    {
        _files.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_is_not_there_is_null_and_may_be_removed()
    {
        var store = CreateSut();

        (await store.ReadAsync("a/none")).ShouldBeNull();
        (await store.LengthAsync("a/none")).ShouldBeNull();
        (await store.FetchFileAsync("a/none", 3, _files.File("scratch"))).ShouldBeNull();
        (await store.ListAsync("a/")).ShouldBeEmpty();
        await store.RemoveAsync("a/none");
    }

    [Fact]
    public async Task The_last_content_of_an_object_is_seen_by_every_process()
    {
        await CreateSut().WriteAsync("a/b/c.json", Bytes("first"));
        await CreateSut().WriteAsync("a/b/c.json", Bytes("other content"));

        Text(await CreateSut().ReadAsync("a/b/c.json")).ShouldBe("other content");
        (await CreateSut().LengthAsync("a/b/c.json")).ShouldBe(13);
        CreateSut().Describe("a/b/c.json").ShouldContain("c.json");
    }

    [Fact]
    public async Task An_empty_object_is_there()
    {
        await CreateSut().WriteAsync("empty", ReadOnlyMemory<byte>.Empty);

        (await CreateSut().ReadAsync("empty")).ShouldBe([]);
        (await CreateSut().LengthAsync("empty")).ShouldBe(0);
    }

    [Fact]
    public async Task Of_16_writers_that_race_for_a_key_one_wins_and_the_object_is_its_own()
    {
        var stores = Enumerable.Range(0, 16).Select(_ => CreateSut()).ToArray();

        var won = await Task.WhenAll(
            stores.Select((store, writer) => Task.Run(() => store.TryCreateAsync("race/key", Bytes($"writer {writer}"))))
        );

        won.Count(one => one).ShouldBe(1);
        Text(await CreateSut().ReadAsync("race/key")).ShouldBe($"writer {Array.IndexOf(won, true)}");
        (await CreateSut().TryCreateAsync("race/key", Bytes("late"))).ShouldBeFalse();
    }

    [Fact]
    public async Task Listings_are_in_ordinal_order_with_lengths_and_times()
    {
        var store = CreateSut();
        foreach (var key in new[] { "runs/b/2.json", "runs/a/1.json", "runs/B", "runs/a.json", "other/x" })
        {
            await store.WriteAsync(key, Bytes("12345"));
        }

        var deep = await CreateSut().ListAsync("runs/");

        deep.Select(found => found.Key).ShouldBe(["runs/B", "runs/a.json", "runs/a/1.json", "runs/b/2.json"]);
        deep.ShouldAllBe(found =>
            found.Length == 5
            && found.Written > TimeProvider.System.GetUtcNow().AddMinutes(-5)
            && found.Written < TimeProvider.System.GetUtcNow().AddMinutes(5)
        );
        (await CreateSut().ListAsync("runs/", isDeep: false))
            .Select(found => found.Key)
            .ShouldBe(["runs/B", "runs/a.json", "runs/a/", "runs/b/"]);
        (await CreateSut().ListAsync("runs/a")).Select(found => found.Key).ShouldBe(["runs/a.json", "runs/a/1.json"]);
        (await CreateSut().ListAsync("")).Count.ShouldBe(5);
    }

    [Fact]
    public async Task What_is_removed_is_gone_and_its_neighbours_stay()
    {
        await CreateSut().WriteAsync("a/b/one", Bytes("1"));
        await CreateSut().WriteAsync("a/b/two", Bytes("2"));
        await CreateSut().WriteAsync("a/c/three", Bytes("3"));

        await CreateSut().RemoveAsync("a/b/one");
        await CreateSut().RemoveAsync("a/c/three");

        (await CreateSut().ReadAsync("a/b/one")).ShouldBeNull();
        (await CreateSut().ListAsync("", isDeep: true)).Select(found => found.Key).ShouldBe(["a/b/two"]);
        (await CreateSut().TryCreateAsync("a/b/one", Bytes("again"))).ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_is_moved_or_copied_and_read_back_with_its_digest(bool isOwn)
    {
        var path = _files.File("weights.bin");
        await File.WriteAllTextAsync(path, "weights", TestContext.Current.CancellationToken);
        await CreateSut().WriteAsync("checkpoints/key/weights", Bytes("earlier"));

        var (digest, length) = await CreateSut().PutFileAsync("checkpoints/key/weights", path, isOwn);

        (digest, length).ShouldBe((Digest.OfBytes("weights"u8), 7));
        File.Exists(path).ShouldBe(!isOwn);
        var fetched = (await CreateSut().FetchFileAsync("checkpoints/key/weights", length, _files.File("scratch")))!;
        (await File.ReadAllTextAsync(fetched, TestContext.Current.CancellationToken)).ShouldBe("weights");
        (await CreateSut().ListAsync("checkpoints/")).ShouldHaveSingleItem().Length.ShouldBe(7);
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string? Text(byte[]? content) => content is null ? null : Encoding.UTF8.GetString(content);
}
