using ClipSae.Artifacts;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.TestKit.Clocks;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.Coordinator.Tests;

public class RunRecoveryTests
{
    private const string Run = "run";
    private readonly EventStore _store = new(new MemoryObjectStore(TimeProvider.System));
    private readonly FakeTimeProvider _time = new();
    private readonly RecordingSender _sender = new();

    [Fact]
    public async Task Deliveries_that_come_together_share_a_recovery()
    {
        var recovery = await CreateSutAsync();

        await _time.PassUntilAsync(Task.WhenAll(Enumerable.Range(0, 50).Select(_ => recovery.RecoverAsync(Run, default))));

        _sender.Sent.ShouldBe(["a/u"]);
    }

    [Fact]
    public async Task A_delivery_that_comes_after_a_recovery_has_read_the_run_gets_one_of_its_own()
    {
        var recovery = await CreateSutAsync();
        await _time.PassUntilAsync(recovery.RecoverAsync(Run, default));

        // Another coordinator appends what follows, and dies before it sends it.
        await _store.TryAppendAsync(Run, 2, [Finished(), new UnitsRequested("b", ["u"]) { At = DateTimeOffset.UnixEpoch }]);
        await _time.PassUntilAsync(recovery.RecoverAsync(Run, default));

        _sender.Sent.ShouldBe(["a/u", "b/u"]);
    }

    private async Task<RunRecovery> CreateSutAsync()
    {
        var stages = new[] { "a", "b" }.Select(stage => new StagePlan(
            stage,
            [],
            [new UnitPlan("u", [], stage == "b" ? [new InputSelector("a", "a/*:*")] : [])],
            []
        ));
        var started = new RunStarted(Run, new RunPlan([.. stages]), new RunSpec(new Dictionary<string, ArtifactRef>(), []))
        {
            At = DateTimeOffset.UnixEpoch,
        };
        await _store.TryAppendAsync(Run, 0, [started, new UnitsRequested("a", ["u"]) { At = DateTimeOffset.UnixEpoch }]);
        return new RunRecovery(new RunCoordinator(_store, _sender, [], _time), _time);
    }

    private static UnitFinished Finished() =>
        new(
            "a",
            "u",
            "w",
            "key",
            new Dictionary<string, ArtifactRef>(),
            [],
            new CacheOutcome(CacheKind.Miss, "new"),
            1,
            DateTimeOffset.UnixEpoch
        )
        {
            At = DateTimeOffset.UnixEpoch,
        };
}
