using ClipSae.Artifacts;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Coordinator.Tests;

public class RunCoordinatorTests
{
    private const string Run = "run";
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private readonly EventStore _store = new(new MemoryObjectStore(TimeProvider.System));
    private readonly RecordingSender _sender = new();

    [Fact]
    public async Task A_start_and_what_it_requests_are_one_append()
    {
        await CreateSut().HandleAsync(Run, [Started(2)]);

        (await Events()).ShouldBe(["RunStarted", "UnitsRequested"]);
        _sender.Sent.ShouldBe(["a/u0", "a/u1"]);
    }

    [Fact]
    public async Task The_last_fact_of_a_stage_requests_the_next_and_the_last_of_all_completes_the_run()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(2)]);
        await coordinator.HandleAsync(Run, [Finished("a", "u0")]);
        _sender.Sent.Count.ShouldBe(2);
        await coordinator.HandleAsync(Run, [Finished("a", "u1")]);
        _sender.Sent[^1].ShouldBe("b/all");
        await coordinator.HandleAsync(Run, [Finished("b", "all")]);

        (await Events())[^2..].ShouldBe(["UnitFinished", "RunCompleted"]);
    }

    [Fact]
    public async Task A_repeated_fact_appends_nothing()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(2)]);
        await coordinator.HandleAsync(Run, [Finished("a", "u0")]);
        var before = await Events();

        await coordinator.HandleAsync(Run, [Finished("a", "u0")]);
        await CreateSut().HandleAsync(Run, [Finished("a", "u0")]);

        (await Events()).ShouldBe(before);
    }

    [Theory]
    [InlineData("w", -1)]
    [InlineData("a worker that sorts first", 0)]
    [InlineData("w", 1)]
    public async Task A_second_result_of_a_unit_appends_nothing_whichever_was_finished_first(string worker, int seconds)
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(1), Finished("a", "u0")]);
        var before = await Events();
        UnitFinished second = Finished("a", "u0") with { Worker = worker, At = Now.AddSeconds(seconds) };

        await coordinator.HandleAsync(Run, [second]);
        await CreateSut().HandleAsync(Run, [second]);

        (await Events()).ShouldBe(before);
        (await coordinator.StateAsync(Run)).Finished("a", "u0")!.At.ShouldBe(Now);
        _sender.Sent.ShouldBe(["b/all"]);
    }

    [Fact]
    public async Task A_crash_between_append_and_send_heals()
    {
        _sender.Dies = true;
        await Should.ThrowAsync<TimeoutException>(() => CreateSut().HandleAsync(Run, [Started(2)]));
        _sender.Dies = false;
        var next = CreateSut();

        // The redelivered message appends nothing, and recovery sends what is outstanding.
        await next.HandleAsync(Run, [Started(2)]);
        _sender.Sent.ShouldBeEmpty();
        await next.RecoverAsync(Run);

        _sender.Sent.ShouldBe(["a/u0", "a/u1"]);
        (await Events()).ShouldBe(["RunStarted", "UnitsRequested"]);
    }

    [Fact]
    public async Task Several_coordinators_on_one_run_lose_nothing_and_request_each_unit_once()
    {
        const int Units = 60;
        var coordinators = Enumerable.Range(0, 4).Select(_ => CreateSut()).ToArray();
        await coordinators[0].HandleAsync(Run, [Started(Units)]);

        await Task.WhenAll(
            Enumerable.Range(0, Units).Select(unit => Task.Run(() => coordinators[unit % 4].HandleAsync(Run, [Finished("a", $"u{unit}")])))
        );
        await coordinators[3].HandleAsync(Run, [Finished("b", "all")]);

        (await CreateSut().StateAsync(Run)).Status.ShouldBe(RunStatus.Completed);
        _sender.Sent.Count.ShouldBe(Units + 1);
        _sender.Sent.Distinct().Count().ShouldBe(Units + 1);
        (await Events()).Count(name => name == nameof(UnitFinished)).ShouldBe(Units + 1);
    }

    [Fact]
    public async Task Facts_that_come_together_share_appends()
    {
        const int Units = 400;
        var counting = new CountingStore(_store);
        var coordinator = new RunCoordinator(counting, _sender, [], TimeProvider.System);
        await coordinator.HandleAsync(Run, [Started(Units)]);

        var open = new TaskCompletionSource();
        counting.Opened = open.Task;
        var handled = Enumerable.Range(0, Units).Select(unit => coordinator.HandleAsync(Run, [Finished("a", $"u{unit}")])).ToArray();
        open.SetResult();
        await Task.WhenAll(handled);

        counting.Appends.ShouldBeLessThan(Units / 4);
    }

    [Fact]
    public async Task A_failure_stops_the_others_and_ends_the_run_when_they_have_stopped()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(2)]);
        await coordinator.HandleAsync(Run, [new UnitFailed("a", "u0", "w", "no room", 1) { At = Now }]);
        _sender.Stopped.ShouldBe([RunStatus.Stopping]);
        (await coordinator.StateAsync(Run)).Status.ShouldBe(RunStatus.Stopping);

        await coordinator.HandleAsync(Run, [new UnitStopped("a", "u1", "w") { At = Now }]);
        _sender.Stopped.ShouldBe([RunStatus.Stopping, RunStatus.Failed]);

        var state = await coordinator.StateAsync(Run);
        state.Status.ShouldBe(RunStatus.Failed);
        ((RunFailed)state.End!).Reason.ShouldBe("no room");
    }

    [Fact]
    public async Task A_crash_between_append_and_telling_the_workers_to_stop_heals_with_the_redelivered_message()
    {
        RunEvent cancelled = new RunCancelRequested("enough") { At = Now };
        await CreateSut().HandleAsync(Run, [Started(2)]);
        _sender.Dies = true;
        await Should.ThrowAsync<TimeoutException>(() => CreateSut().HandleAsync(Run, [cancelled]));
        _sender.Dies = false;
        var next = CreateSut();

        await next.HandleAsync(Run, [cancelled]);
        _sender.Stopped.ShouldBe([RunStatus.Stopping]);
        await next.RecoverAsync(Run);

        _sender.Stopped.ShouldBe([RunStatus.Stopping, RunStatus.Stopping], "whoever recovers the run tells it again");
        _sender.Sent.TakeLast(2).ShouldBe(["a/u0", "a/u1"], "a unit whose message is lost would keep the run from its end");
        (await Events())[^1].ShouldBe("RunCancelRequested");
    }

    [Fact]
    public async Task Recovery_goes_by_what_others_have_appended()
    {
        var first = CreateSut();
        var second = CreateSut();
        await first.HandleAsync(Run, [Started(1)]);
        await second.StateAsync(Run);
        _sender.Dies = true;
        await Should.ThrowAsync<TimeoutException>(() => first.HandleAsync(Run, [Finished("a", "u0")]));
        _sender.Dies = false;

        await second.RecoverAsync(Run);

        _sender.Sent.ShouldBe(["a/u0", "b/all"]);
    }

    [Fact]
    public async Task A_tolerated_failure_is_given_up_when_the_rest_has_finished_and_the_next_stage_is_sent_without_it()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(4, tolerated: 0.5)]);
        await coordinator.HandleAsync(Run, [Failed("u1"), Finished("a", "u0"), Finished("a", "u2")]);
        _sender.Stopped.ShouldBeEmpty();
        _sender.Sent.Count.ShouldBe(4);

        await coordinator.HandleAsync(Run, [Finished("a", "u3")]);

        (await Events())[^3..].ShouldBe(["UnitFinished", "UnitsGivenUp", "UnitsRequested"]);
        _sender.Sent[^1].ShouldBe("b/all");
        var before = await Events();
        await coordinator.HandleAsync(Run, [Finished("a", "u1")]);
        (await Events()).ShouldBe(before, "a unit that is back after that must not change what was given out");
        await coordinator.HandleAsync(Run, [Finished("b", "all")]);
        (await coordinator.StateAsync(Run)).Status.ShouldBe(RunStatus.Completed);
    }

    [Fact]
    public async Task One_failure_more_than_tolerated_fails_the_run_and_names_them_all()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(4, tolerated: 0.25)]);
        await coordinator.HandleAsync(Run, [Failed("u1")]);
        await coordinator.HandleAsync(Run, [Failed("u2")]);
        _sender.Stopped.ShouldBe([RunStatus.Stopping]);
        await coordinator.HandleAsync(Run, [new UnitStopped("a", "u0", "w") { At = Now }, new UnitStopped("a", "u3", "w") { At = Now }]);

        ((RunFailed)(await coordinator.StateAsync(Run)).End!).Reason.ShouldBe("no room (2 of 4 units failed, 1 are tolerated: u1, u2)");
    }

    [Fact]
    public async Task Not_all_units_can_be_given_up()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(2, tolerated: 1)]);
        await coordinator.HandleAsync(Run, [Failed("u0"), Failed("u1")]);

        (await coordinator.StateAsync(Run)).Status.ShouldBe(RunStatus.Failed);
    }

    [Fact]
    public async Task A_run_that_is_cancelled_after_a_tolerated_failure_is_cancelled_and_not_failed()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(4, tolerated: 0.25)]);
        await coordinator.HandleAsync(Run, [Failed("u0"), new RunCancelRequested("enough") { At = Now }]);
        await coordinator.HandleAsync(Run, [.. new[] { "u1", "u2", "u3" }.Select(unit => new UnitStopped("a", unit, "w") { At = Now })]);

        (await coordinator.StateAsync(Run)).Status.ShouldBe(RunStatus.Cancelled);
    }

    [Fact]
    public async Task A_cancellation_by_another_process_reaches_the_workers_here()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(1)]);
        await _store.TryAppendAsync(Run, (await _store.ReadAsync(Run)).Count, [new RunCancelRequested("elsewhere") { At = Now }]);

        (await coordinator.StateAsync(Run)).Status.ShouldBe(RunStatus.Stopping);

        _sender.Stopped.ShouldBe([RunStatus.Stopping]);
    }

    [Fact]
    public async Task Nothing_is_appended_after_the_end()
    {
        var coordinator = CreateSut();
        await coordinator.HandleAsync(Run, [Started(1), Finished("a", "u0"), Finished("b", "all")]);
        var ended = await Events();
        ended[^1].ShouldBe("RunCompleted");

        await coordinator.HandleAsync(Run, [new RunCancelRequested("late") { At = Now }, Finished("a", "u0")]);

        (await Events()).ShouldBe(ended);
    }

    private RunCoordinator CreateSut() => new(_store, _sender, [], TimeProvider.System);

    private async Task<string[]> Events() => [.. (await _store.ReadAsync(Run)).Select(stored => stored.Event.GetType().Name)];

    private static UnitFailed Failed(string unit) => new("a", unit, "w", "no room", 1) { At = Now };

    private static RunStarted Started(int units, double tolerated = 0) =>
        new(
            Run,
            new RunPlan([
                new StagePlan("a", [], [.. Enumerable.Range(0, units).Select(unit => new UnitPlan($"u{unit}", [], []))], [], tolerated),
                new StagePlan("b", [], [new UnitPlan("all", [], [new InputSelector("a", "a/*:*")])], []),
            ]),
            new RunSpec(new Dictionary<string, ArtifactRef>(), [])
        )
        {
            At = Now,
        };

    private static UnitFinished Finished(string stage, string unit) =>
        new(stage, unit, "w", "key", new Dictionary<string, ArtifactRef>(), [], new CacheOutcome(CacheKind.Miss, "new"), 1, Now)
        {
            At = Now,
        };

    private sealed class CountingStore(IEventStore inner) : IEventStore
    {
        private int _appends;

        public int Appends => _appends;

        /// <summary>Until then no append ends, and other facts gather.</summary>
        public Task Opened { get; set; } = Task.CompletedTask;

        public async Task<bool> TryAppendAsync(string run, long version, IReadOnlyList<RunEvent> events, CancellationToken cancel = default)
        {
            Interlocked.Increment(ref _appends);

            await Opened;
            return await inner.TryAppendAsync(run, version, events, cancel);
        }

        public Task<IReadOnlyList<StoredEvent>> ReadAsync(string run, long version = 0, CancellationToken cancel = default) =>
            inner.ReadAsync(run, version, cancel);

        public Task<IReadOnlyList<string>> ListRunsAsync(CancellationToken cancel = default) => inner.ListRunsAsync(cancel);
    }
}
