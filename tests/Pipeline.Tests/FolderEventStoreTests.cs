using ClipSae.Artifacts;
using ClipSae.Pipeline.Events;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Stores;

namespace ClipSae.Pipeline.Tests;

public sealed class FolderEventStoreTests : EventStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Each is as a process of its own: they share nothing but the folder.
    protected override IEventStore CreateSut() => new EventStore(new FolderObjectStore(_folder.Path));

    [Fact]
    public async Task An_append_is_one_file_named_by_its_first_event()
    {
        var store = CreateSut();
        await store.TryAppendAsync("run", 0, [Said("a"), Said("b")]);
        await store.TryAppendAsync("run", 2, [Said("c")]);

        Directory.GetFiles(Events()).Select(path => Path.GetFileName(path)).Order().ShouldBe(["00000001.json", "00000003.json"]);
        (await File.ReadAllTextAsync(Path.Combine(Events(), "00000003.json"))).ShouldStartWith("[{\"type\":\"run-cancel-requested/1\",");
    }

    [Fact]
    public async Task Another_process_sees_what_was_appended()
    {
        await CreateSut().TryAppendAsync("run", 0, [Said("a")]);
        var other = CreateSut();

        (await other.TryAppendAsync("run", 1, [Said("b")])).ShouldBeTrue();
        (await CreateSut().ReadAsync("run")).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("[{\"type\":\"run-canc")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("[{\"type\":\"from-the-future/9\",\"at\":\"2026-01-01T00:00:00Z\"}]")]
    public async Task A_damaged_file_is_named(string content)
    {
        await CreateSut().TryAppendAsync("run", 0, [Said("a")]);
        await File.WriteAllTextAsync(Path.Combine(Events(), "00000002.json"), content);

        var error = await Should.ThrowAsync<UserErrorException>(() => CreateSut().ReadAsync("run"));

        error.Message.ShouldContain("00000002.json is damaged");
        error.Message.ShouldNotContain("\n");
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        var store = CreateSut();
        await store.TryAppendAsync("run", 0, [Said("a")]);
        await store.TryAppendAsync("run", 1, [Said("b")]);
        await store.TryAppendAsync("run", 2, [Said("c")]);
        File.Delete(Path.Combine(Events(), "00000002.json"));

        (await Should.ThrowAsync<UserErrorException>(() => CreateSut().ReadAsync("run"))).Message.ShouldContain("00000002.json is missing");
    }

    [Fact]
    public async Task A_half_written_temporary_file_is_not_read()
    {
        var store = CreateSut();
        await store.TryAppendAsync("run", 0, [Said("a")]);
        await File.WriteAllTextAsync(Path.Combine(Events(), ".00000002.json.1-1-x.tmp"), "[{\"ty");

        (await CreateSut().ReadAsync("run")).Count.ShouldBe(1);
        (await store.TryAppendAsync("run", 1, [Said("b")])).ShouldBeTrue();
    }

    private string Events() => _folder.File("runs", "run", "events");
}
