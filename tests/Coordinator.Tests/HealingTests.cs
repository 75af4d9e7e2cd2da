using ClipSae.Artifacts;
using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.Coordinator.Tests;

public class HealingTests
{
    private const string Run = "run";
    private readonly EventStore _store = new(new MemoryObjectStore(TimeProvider.System));
    private readonly RecordingSender _sender = new();

    [Fact]
    public async Task Deliveries_that_come_together_share_a_healing()
    {
        var healing = await CreateSutAsync();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => healing.HealAsync(Run, default)));

        _sender.Sent.ShouldBe(["a/u"]);
    }

    [Fact]
    public async Task A_delivery_that_comes_after_a_healing_has_read_the_run_gets_one_of_its_own()
    {
        var healing = await CreateSutAsync();
        await healing.HealAsync(Run, default);

        // Another coordinator appends what follows, and dies before it sends it.
        await _store.TryAppendAsync(Run, 2, [Finished(), new UnitsRequested("b", ["u"]) { At = DateTimeOffset.UnixEpoch }]);
        await healing.HealAsync(Run, default);

        _sender.Sent.ShouldBe(["a/u", "b/u"]);
    }

    private async Task<Healing> CreateSutAsync()
    {
        var stages = new[] { "a", "b" }.Select(stage => new StagePlan(stage, [], [new UnitPlan("u", [], stage == "b" ? [new InputSelector("a", "a/*:*")] : [])], []));
        var started = new RunStarted(Run, new RunPlan([.. stages]), new Dictionary<string, ArtifactRef>(), [], 0) { At = DateTimeOffset.UnixEpoch };
        await _store.TryAppendAsync(Run, 0, [started, new UnitsRequested("a", ["u"]) { At = DateTimeOffset.UnixEpoch }]);
        return new Healing(new RunCoordinator(_store, _sender, [], TimeProvider.System), TimeProvider.System);
    }

    private static UnitFinished Finished() => new(
        "a", "u", "w", "key", new Dictionary<string, ArtifactRef>(), [], new CacheOutcome(CacheKind.Miss, "new"), 1, DateTimeOffset.UnixEpoch)
    {
        At = DateTimeOffset.UnixEpoch,
    };
}
