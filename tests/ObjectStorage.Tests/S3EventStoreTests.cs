using System.Text;
using ClipSae.Pipeline.Events;
using ClipSae.TestKit.Stores;

namespace ClipSae.ObjectStorage.Tests;

public sealed class S3EventStoreTests(SharedServer shared) : EventStoreContract, IAsyncLifetime
{
    private S3ObjectStore _store = null!;

    public async ValueTask InitializeAsync() =>
        _store = new S3ObjectStore(await shared.NewBucketAsync(Path.GetTempPath()), TimeProvider.System);

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        return ValueTask.CompletedTask;
    }

    // Each is as a process of its own: they share nothing but the bucket.
    protected override IEventStore CreateSut() => new EventStore(_store);

    [Fact]
    public async Task An_append_is_one_object_named_by_its_first_event()
    {
        var store = CreateSut();
        await store.TryAppendAsync("run", 0, [Said("a"), Said("b")]);
        await store.TryAppendAsync("run", 2, [Said("c")]);

        (await _store.ListAsync("runs/"))
            .Select(found => found.Key)
            .ShouldBe(["runs/run/events/00000001.json", "runs/run/events/00000003.json"]);
    }

    [Theory]
    [InlineData("[{\"type\":\"run-canc")]
    [InlineData("")]
    [InlineData("[]")]
    public async Task A_damaged_object_is_named(string content)
    {
        await CreateSut().TryAppendAsync("run", 0, [Said("a")]);
        await _store.WriteAsync("runs/run/events/00000002.json", Encoding.UTF8.GetBytes(content));

        (await Should.ThrowAsync<UserErrorException>(() => CreateSut().ReadAsync("run"))).Message.ShouldContain("00000002.json");
    }

    [Fact]
    public async Task A_missing_object_is_named()
    {
        var store = CreateSut();
        for (var version = 0; version < 3; version++)
        {
            await store.TryAppendAsync("run", version, [Said("a")]);
        }

        await _store.RemoveAsync("runs/run/events/00000002.json");

        (await Should.ThrowAsync<UserErrorException>(() => CreateSut().ReadAsync("run"))).Message.ShouldContain("00000002.json");
    }

    [Fact]
    public async Task A_stream_of_many_appends_is_read_whole()
    {
        const int Appends = 1200; // more than one page of a listing
        var store = CreateSut();
        for (var version = 0; version < Appends; version++)
        {
            (await store.TryAppendAsync("long", version, [Said("x")])).ShouldBeTrue();
        }

        (await CreateSut().ReadAsync("long"))
            .Select(stored => stored.Sequence)
            .ShouldBe(Enumerable.Range(1, Appends).Select(sequence => (long)sequence));
        (await CreateSut().ReadAsync("long", Appends - 2)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_burst_of_megabytes_is_one_object_that_no_other_replaces()
    {
        var store = CreateSut();
        (await store.TryAppendAsync("run", 0, [Said(new string('x', 12 << 20))])).ShouldBeTrue();

        (await CreateSut().TryAppendAsync("run", 0, [Said(new string('y', 12 << 20))])).ShouldBeFalse();
        (await CreateSut().ReadAsync("run")).Count.ShouldBe(1);
    }
}
