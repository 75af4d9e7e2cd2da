using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Files;

namespace ClipSae.Coordinator.Tests;

public sealed class RunStarterTests : IDisposable
{
    private static readonly ArtifactRef Shard = new(Digest.OfBytes("abc"u8), 3, "x/y", "a");
    private readonly TemporaryFolder _folder = new();
    private readonly EventStore _store = new(new MemoryObjectStore(TimeProvider.System));
    private readonly TellingChecks _checks = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_event_of_more_inputs_than_a_message_can_carry_is_refused()
    {
        var inputs = Enumerable.Range(0, 100_001).ToDictionary(shard => $"dataset:shards/{shard:D6}", _ => Shard);

        var error = await Should.ThrowAsync<UserErrorException>(() =>
            CreateSut().BeginAsync(new DatasetReady(new RunSpec(inputs, [])), default)
        );

        error.Message.ShouldBe("dataset-ready: inputs has 100001 members; at most 100000 are allowed: use fewer and larger shards");
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
        first.Run.ShouldBe("event-697a76091691bbc8"); // first digits of the SHA-256 of its canonical JSON
    }

    [Fact]
    public async Task An_event_may_not_take_the_name_of_a_run_that_asks_for_something_else()
    {
        await CreateSut().BeginAsync(Ready() with { Run = "mine" }, default);

        var same = await CreateSut().BeginAsync(Ready(spec => spec with { Interactive = true }) with { Run = "mine" }, default);
        var error = await Should.ThrowAsync<UserErrorException>(() =>
            CreateSut().BeginAsync(Ready(spec => spec with { Seed = 5 }) with { Run = "mine" }, default)
        );

        same.IsNew.ShouldBeFalse();
        error.Message.ShouldStartWith("dataset-ready: run: mine is the name of a run with other inputs");
        ((RunStarted)(await _store.ReadAsync("mine"))[0].Event).Spec.Seed.ShouldBe(0);
    }

    [Fact]
    public async Task A_plan_with_a_stage_that_no_worker_has_is_refused()
    {
        var plan = new RunPlan([new StagePlan("sae-trainig", [], [new UnitPlan("u", [], [])], [])]);

        var error = await Should.ThrowAsync<UserErrorException>(() => CreateSut().BeginAsync(Ready() with { Plan = plan }, default));

        error.Message.ShouldBe(
            "dataset-ready: plan: no worker of stage sae-trainig has ever started here: start one first; did you mean sae-training?"
        );
        (await _store.ListRunsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("../up", "dataset-ready: run: '../up' is not a valid run name")]
    [InlineData(null, "dataset-ready: no worker of stage embedding-extraction has ever started here")]
    public async Task What_cannot_begin_is_told(string? run, string message) =>
        (
            await Should.ThrowAsync<UserErrorException>(() =>
                CreateSut()
                    .BeginAsync(
                        new DatasetReady(new RunSpec(new Dictionary<string, ArtifactRef> { ["dataset:shards/0"] = Shard }, []), run),
                        default
                    )
            )
        ).Message.ShouldStartWith(message);

    [Fact]
    public async Task Inputs_are_looked_up_in_the_store_before_the_run_begins()
    {
        var store = Artifacts();
        var kept = await store.PutBytesAsync("some"u8.ToArray(), "kept", "x/y");
        var gone = Shard with { Digest = "sha256:" + new string('b', 64) };

        var missing = await Should.ThrowAsync<UserErrorException>(() =>
            CreateSut().BeginAsync(Ready(With("model:weights", gone)), default)
        );
        var cut = await Should.ThrowAsync<UserErrorException>(() =>
            CreateSut().BeginAsync(Ready(With("model:weights", kept with { Length = 5 })), default)
        );

        missing.Message.ShouldStartWith("dataset-ready: inputs['model:weights'].digest: the store has no content of sha256:bbb");
        cut.Message.ShouldBe("dataset-ready: inputs['model:weights'].length = 5: the content of this digest has 4 bytes");
        (await _store.ListRunsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("model\0weights", "weights", "x/y", "dataset-ready: inputs: the name 'model\\u0000weights' contains a control character")]
    [InlineData("", "weights", "x/y", "dataset-ready: inputs: the name '' is empty")]
    [InlineData("model:weights", "../weights", "x/y", "dataset-ready: inputs['model:weights'].name: '../weights' is not a file name")]
    [InlineData("model:weights", "/weights", "x/y", "dataset-ready: inputs['model:weights'].name: '/weights' is not a file name")]
    [InlineData(
        "model:weights",
        "a/../../weights",
        "x/y",
        "dataset-ready: inputs['model:weights'].name: 'a/../../weights' is not a file name"
    )]
    [InlineData(
        "model:weights",
        "we\0ights",
        "x/y",
        "dataset-ready: inputs['model:weights'].name: 'we\\u0000ights' contains a control character"
    )]
    [InlineData("model:weights", "weights", "x\ny", "dataset-ready: inputs['model:weights'].mediaType: ")]
    public async Task Names_that_lead_elsewhere_are_refused(string input, string name, string mediaType, string said) =>
        (
            await Should.ThrowAsync<UserErrorException>(() =>
                CreateSut().BeginAsync(Ready(With(input, Shard with { Name = name, MediaType = mediaType })), default)
            )
        ).Message.ShouldStartWith(said);

    [Fact]
    public async Task A_shards_name_has_a_folder_in_it()
    {
        await CreateSut().BeginAsync(Ready(With("dataset:shards/00000", Shard with { Name = "shards/00000" })), default);

        (await _store.ListRunsAsync()).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_origin_may_not_lead_out_of_the_runs() =>
        (
            await Should.ThrowAsync<UserErrorException>(() =>
                CreateSut().BeginAsync(Ready(spec => spec with { Origin = new ReplayOrigin("../other", "s") }), default)
            )
        ).Message.ShouldStartWith("dataset-ready: origin.run: '../other' is not a valid run name");

    [Fact]
    public async Task A_plan_is_checked_on_arrival()
    {
        await PlanShouldBeRefusedAsync(new RunPlan([]), "dataset-ready: plan: the plan's stages is empty");
        await PlanShouldBeRefusedAsync(new RunPlan([new StagePlan("s", [], [], [])]), "dataset-ready: plan: stage s has nothing to do");
        await PlanShouldBeRefusedAsync(
            new RunPlan([new StagePlan("s", [], [new UnitPlan("u\0", [], [])], [])]),
            "dataset-ready: plan: stage s: the name of unit 'u\\u0000' contains a control character"
        );
        await PlanShouldBeRefusedAsync(
            new RunPlan([new StagePlan("s", [], [new UnitPlan(new string('u', 201), [], [])], [])]),
            "dataset-ready: plan: stage s: the name of unit 'uuu"
        );
        await PlanShouldBeRefusedAsync(
            new RunPlan([new StagePlan("s", [], [new UnitPlan("u", [], [new InputSelector("a\0", "model:weights")])], [])]),
            "dataset-ready: plan: the plan's stages[0].units[0].inputs[0].as contains a control character"
        );
    }

    [Fact]
    public async Task What_a_worker_says_of_the_parameters_is_told_and_no_stage_runs()
    {
        _checks.Answer = new UnitsChecked("sae.k: must be at least 1");

        (await Should.ThrowAsync<UserErrorException>(() => CreateSut().BeginAsync(Ready(), default))).Message.ShouldBe(
            "dataset-ready: parameters: sae.k: must be at least 1"
        );

        (await _store.ListRunsAsync()).ShouldBeEmpty();
        _checks.Asked.ShouldBe(["s"]);
    }

    [Theory]
    [InlineData("""{"kk": 3}""", "dataset-ready: parameters: t: unknown parameter kk; did you mean k?")]
    [InlineData("""{"words": 3}""", "dataset-ready: parameters: t: parameter words = 3 does not fit: expected a list")]
    public async Task Without_a_worker_parameters_are_held_against_what_the_stage_has_told(string parameters, string said)
    {
        await new StageDefaultsStore(new FolderObjectStore(_folder.Path)).TellAsync(
            "t",
            new JsonObject { ["k"] = 32, ["words"] = new JsonArray("a") }
        );

        await PlanShouldBeRefusedAsync(
            new RunPlan([new StagePlan("t", JsonNode.Parse(parameters)!.AsObject(), [new UnitPlan("u", [], [])], [])]),
            said
        );
    }

    private async Task PlanShouldBeRefusedAsync(RunPlan plan, string said)
    {
        (
            await Should.ThrowAsync<UserErrorException>(() => CreateSut().BeginAsync(Ready() with { Plan = plan }, default))
        ).Message.ShouldStartWith(said);
        (await _store.ListRunsAsync()).ShouldBeEmpty();
    }

    private static Func<RunSpec, RunSpec> With(string name, ArtifactRef artifact) =>
        spec =>
            spec with
            {
                Inputs = new Dictionary<string, ArtifactRef> { ["dataset:shards/0"] = Shard, [name] = artifact },
            };

    private FolderArtifactStore Artifacts() => new(_folder.Path, new ProcessScratch(_folder.Path));

    private static DatasetReady Ready(Func<RunSpec, RunSpec>? changed = null)
    {
        var spec = new RunSpec(new Dictionary<string, ArtifactRef> { ["dataset:shards/0"] = Shard }, []);
        return new(changed?.Invoke(spec) ?? spec, plan: new RunPlan([new StagePlan("s", [], [new UnitPlan("u", [], [])], [])]));
    }

    private RunStarter CreateSut()
    {
        var told = new StageDefaultsStore(new FolderObjectStore(_folder.Path));
        told.TellAsync("s", []).Wait();
        var artifacts = Artifacts();
        artifacts.PutBytesAsync("abc"u8.ToArray(), "a", "x/y").Wait();
        return new RunStarter(
            new RunCoordinator(_store, new RecordingSender(), [], TimeProvider.System),
            new RunBeginning(_store, artifacts, TimeProvider.System),
            _store,
            artifacts,
            told,
            _checks
        );
    }

    /// <summary>A worker that gives one answer to every question, or none that is there.</summary>
    private sealed class TellingChecks : IUnitChecks
    {
        public UnitsChecked? Answer { get; set; }

        public List<string> Asked { get; } = [];

        public Task<UnitsChecked?> AskAsync(StagePlan stage, IReadOnlyDictionary<string, ArtifactRef> runInputs, CancellationToken cancel)
        {
            Asked.Add(stage.Stage);
            return Task.FromResult(Answer);
        }
    }
}
