using ClipSae.Pipeline.Pruning;
using ClipSae.TestKit.Pipelines;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Hosting.Tests;

public sealed class PruneTests : IDisposable
{
    private readonly FakePipeline _pipeline = new();

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    public async Task A_kept_run_is_whole_and_what_went_is_computed_again()
    {
        await using var runtime = _pipeline.Start();
        var gone = await FakePipeline.RunAsync(runtime, FakePipeline.Plan(factor: 1));
        var kept = await FakePipeline.RunAsync(runtime, FakePipeline.Plan(factor: 2));
        var pruner = runtime.Services.GetRequiredService<Pruner>();

        await pruner.RemoveAsync(await pruner.PlanAsync(new HashSet<string> { kept.Start!.Run }, new HashSet<string>()));
        var replayed = await runtime.WaitAsync(await runtime.ReplayAsync(kept.Start!.Run, null, []));
        var before = _pipeline.First.Runs;
        var again = await FakePipeline.RunAsync(runtime, FakePipeline.Plan(factor: 1));

        FakePipeline.Caches(replayed).ShouldAllBe(cache => cache == CacheKind.Hit);
        (_pipeline.First.Runs - before).ShouldBe(3);
        FakePipeline.Digest(again).ShouldBe(FakePipeline.Digest(gone));
        (await runtime.ListRunsAsync()).Select(run => run.Run).ShouldNotContain(gone.Start!.Run);
    }

    [Fact]
    public async Task Dropped_outputs_of_a_kept_run_are_computed_again_by_a_replay()
    {
        await using var runtime = _pipeline.Start();
        var kept = await FakePipeline.RunAsync(runtime);
        var pruner = runtime.Services.GetRequiredService<Pruner>();

        await pruner.RemoveAsync(await pruner.PlanAsync(null, new HashSet<string> { "first" }));
        var replayed = await runtime.WaitAsync(await runtime.ReplayAsync(kept.Start!.Run, "third", []));

        _pipeline.First.Runs.ShouldBe(6);
        FakePipeline.Digest(replayed).ShouldBe(FakePipeline.Digest(kept));
    }
}
