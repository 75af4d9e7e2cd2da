using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Pipelines;
using static ClipSae.TestKit.Pipelines.FakePipeline;

namespace ClipSae.Hosting.Tests;

public sealed class ReplayTests : IDisposable
{
    private readonly FakePipeline _pipeline = new();

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    public async Task An_unchanged_replay_computes_nothing_and_names_its_origin()
    {
        await using var runtime = _pipeline.Start();
        var origin = await RunAsync(runtime);

        var run = await runtime.ReplayAsync(origin.Start!.Run, "second", []);
        var state = await runtime.WaitAsync(run);

        state.Status.ShouldBe(RunStatus.Completed);
        state.Start!.Spec.Origin.ShouldBe(new ReplayOrigin(origin.Start.Run, "second"));
        Caches(state).ShouldAllBe(kind => kind == CacheKind.Hit);
        state.Stages["first"].Finished("u00000")!.Cache.Reason.ShouldBe($"taken from run {origin.Start.Run}");
        _pipeline.Second.Runs.ShouldBe(3);
    }

    [Fact]
    public async Task Verification_computes_again_and_finds_equal_digests()
    {
        await using var runtime = _pipeline.Start();
        var origin = await RunAsync(runtime);

        var state = await runtime.WaitAsync(await runtime.ReplayAsync(origin.Start!.Run, "second", [], verify: true));

        state.Status.ShouldBe(RunStatus.Completed);
        Caches(state)
            .ShouldBe([
                CacheKind.Hit,
                CacheKind.Hit,
                CacheKind.Hit,
                CacheKind.Verified,
                CacheKind.Verified,
                CacheKind.Verified,
                CacheKind.Verified,
            ]);
        (_pipeline.First.Runs, _pipeline.Second.Runs, _pipeline.Third.Runs).ShouldBe((3, 6, 2));
    }

    [Fact]
    public async Task Verification_names_the_outputs_that_differ()
    {
        await using var runtime = _pipeline.Start();
        var origin = await RunAsync(runtime);
        _pipeline.Third.Noise = () => " and noise";

        var state = await runtime.WaitAsync(await runtime.ReplayAsync(origin.Start!.Run, "third", [], verify: true));

        state.Status.ShouldBe(RunStatus.Failed);
        state.FirstFailure()!.Reason.ShouldContain("third/all: computed again, text differs from what run");
    }

    [Fact]
    public async Task A_changed_algorithm_or_parameter_or_input_is_the_reason_of_a_miss()
    {
        await using var runtime = _pipeline.Start();
        await RunAsync(runtime);

        var state = await RunAsync(runtime, Plan(factor: 2));

        state.Stages["first"].Finished("u00000")!.Cache.Reason.ShouldStartWith("parameter factor 1 → 2 (against run ");
        state.Stages["second"].Finished("u00000")!.Cache.Reason.ShouldStartWith("input text changed (against run ");
        state.Stages["third"].Finished("all")!.Cache.Reason.ShouldStartWith("inputs texts/u00000 and 2 more changed (against run ");
    }

    [Fact]
    public async Task A_lost_output_is_computed_anew()
    {
        await using var runtime = _pipeline.Start();
        var origin = await RunAsync(runtime);
        var lost = origin.Stages["second"].Finished("u00001")!.Outputs["text"];
        File.Delete(await runtime.Artifacts.FetchAsync(lost));

        var state = await runtime.WaitAsync(await runtime.ReplayAsync(origin.Start!.Run, "third", []));

        state.Status.ShouldBe(RunStatus.Completed);
        state
            .Stages["second"]
            .Finished("u00001")!
            .Cache.ShouldBe(new CacheOutcome(CacheKind.Miss, "output text of the stored result is no longer in the store"));
        Digest(state).ShouldBe(Digest(origin));
    }

    [Fact]
    public async Task Explaining_shows_what_a_key_was_made_of()
    {
        await using var runtime = _pipeline.Start();
        var state = await RunAsync(runtime);

        var explained = await runtime.ExplainAsync(state.Start!.Run).ToListAsync();

        explained.Count.ShouldBe(7);
        explained[0].Finished.Cache.Reason.ShouldBe("no earlier result of this unit in this store");
        explained[0].Parts!.Key().ShouldBe(explained[0].Finished.Key);
        explained[0].Parts!.Parameters["factor"]!.GetValue<int>().ShouldBe(1);
    }

    [Fact]
    public async Task A_damaged_result_is_named()
    {
        await using var runtime = _pipeline.Start();
        var origin = await RunAsync(runtime);
        var path = Path.Combine(_pipeline.Folder, "stages", origin.Stages["third"].Finished("all")!.Key, "result.json");
        File.WriteAllText(path, "{\"parts\":");

        var state = await RunAsync(runtime);

        state.Status.ShouldBe(RunStatus.Failed);
        state.FirstFailure()!.Reason.ShouldStartWith(path + " is damaged");
    }

    [Fact]
    public async Task An_unknown_stage_names_the_near_one()
    {
        await using var runtime = _pipeline.Start();
        var origin = await RunAsync(runtime);

        (await Should.ThrowAsync<UserErrorException>(() => runtime.ReplayAsync(origin.Start!.Run, "secund", []))).Message.ShouldBe(
            "the run has no stage secund; did you mean second?"
        );
    }
}
