using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.Coordinator.Tests;

public sealed class RunStarterTests : IDisposable
{
    private static readonly ArtifactRef Shard = new("sha256:" + new string('a', 64), 3, "x/y", "a");
    private readonly string _folder = Directory.CreateTempSubdirectory("clipsae-test-").FullName;
    private readonly InMemoryEventStore _store = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_event_of_more_inputs_than_a_message_can_carry_is_refused()
    {
        var inputs = Enumerable.Range(0, 100_001).ToDictionary(shard => $"dataset:shards/{shard:D6}", _ => Shard);

        var error = await Should.ThrowAsync<UserErrorException>(() => CreateSut().BeginAsync(new DatasetReady(inputs, []), default));

        error.Message.ShouldBe("dataset-ready: inputs has 100001 members; at most 100000 are taken: use fewer and larger shards");
        (await _store.ListRunsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_event_twice_begins_one_run()
    {
        var plan = new RunPlan([new StagePlan("s", [], [new UnitPlan("u", [], [])], [])]);
        var ready = new DatasetReady(new Dictionary<string, ArtifactRef> { ["dataset:shards/0"] = Shard }, new JsonObject(), Plan: plan);

        var first = await CreateSut().BeginAsync(ready, default);
        var second = await CreateSut().BeginAsync(ready, default);

        second.ShouldBe(first);
        (await _store.ReadAsync(first)).Count(stored => stored.Event is RunStarted).ShouldBe(1);
    }

    [Theory]
    [InlineData("../up", "dataset-ready: run: '../up' is no name for a run")]
    [InlineData(null, "dataset-ready: no worker of stage embedding-extraction has ever started here")]
    public async Task What_cannot_begin_is_told(string? run, string message) => (await Should.ThrowAsync<UserErrorException>(
        () => CreateSut().BeginAsync(new DatasetReady(new Dictionary<string, ArtifactRef> { ["dataset:shards/0"] = Shard }, [], run), default))).Message.ShouldStartWith(message);

    private RunStarter CreateSut()
    {
        var scratch = new ProcessScratch(_folder);
        return new RunStarter(
            new RunCoordinator(_store, new RecordingSender(), [], TimeProvider.System), _store, new FolderArtifactStore(_folder, scratch), new FolderStageDefaults(_folder), TimeProvider.System);
    }
}
