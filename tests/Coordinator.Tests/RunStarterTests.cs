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
        var ready = Ready();

        var first = await CreateSut().BeginAsync(ready, default);
        var second = await CreateSut().BeginAsync(ready, default);

        first.IsNew.ShouldBeTrue();
        second.ShouldBe((first.Run, false));
        (await _store.ReadAsync(first.Run)).Count(stored => stored.Event is RunStarted).ShouldBe(1);
    }

    [Fact]
    public async Task An_event_may_not_take_the_name_of_a_run_that_asks_for_something_else()
    {
        await CreateSut().BeginAsync(Ready() with { Run = "mine" }, default);

        var same = await CreateSut().BeginAsync(Ready() with { Run = "mine", Interactive = true }, default);
        var error = await Should.ThrowAsync<UserErrorException>(() => CreateSut().BeginAsync(Ready() with { Run = "mine", Seed = 5 }, default));

        same.IsNew.ShouldBeFalse();
        error.Message.ShouldStartWith("dataset-ready: run: mine is the name of a run that was asked for with other inputs");
        ((RunStarted)(await _store.ReadAsync("mine"))[0].Event).Seed.ShouldBe(0);
    }

    [Fact]
    public async Task A_plan_with_a_stage_that_no_worker_has_is_refused()
    {
        var plan = new RunPlan([new StagePlan("sae-trainig", [], [new UnitPlan("u", [], [])], [])]);

        var error = await Should.ThrowAsync<UserErrorException>(() => CreateSut().BeginAsync(Ready() with { Plan = plan }, default));

        error.Message.ShouldBe("dataset-ready: plan: no worker of stage sae-trainig has ever started here: start one first; did you mean sae-training?");
        (await _store.ListRunsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("../up", "dataset-ready: run: '../up' is no name for a run")]
    [InlineData(null, "dataset-ready: no worker of stage embedding-extraction has ever started here")]
    public async Task What_cannot_begin_is_told(string? run, string message) => (await Should.ThrowAsync<UserErrorException>(
        () => CreateSut().BeginAsync(new DatasetReady(new Dictionary<string, ArtifactRef> { ["dataset:shards/0"] = Shard }, [], run), default))).Message.ShouldStartWith(message);

    private static DatasetReady Ready() => new(
        new Dictionary<string, ArtifactRef> { ["dataset:shards/0"] = Shard }, new JsonObject(), Plan: new RunPlan([new StagePlan("s", [], [new UnitPlan("u", [], [])], [])]));

    private RunStarter CreateSut()
    {
        var told = new FolderStageDefaults(_folder);
        told.TellAsync("s", []).IsCompletedSuccessfully.ShouldBeTrue();
        return new RunStarter(
            new RunCoordinator(_store, new RecordingSender(), [], TimeProvider.System), _store, new FolderArtifactStore(_folder, new ProcessScratch(_folder)), told, TimeProvider.System);
    }
}
