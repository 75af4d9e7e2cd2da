using ClipSae.Artifacts;
using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Pipelines;
using Microsoft.Extensions.Time.Testing;
using static ClipSae.TestKit.Pipelines.FakePipeline;

namespace ClipSae.Hosting.Tests;

public sealed class EmbeddedRuntimeTests : IDisposable
{
    private readonly FakePipeline _pipeline = new();

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    public async Task A_run_runs_every_unit_once_and_completes()
    {
        await using var runtime = _pipeline.Start();

        var state = await RunAsync(runtime);

        state.Status.ShouldBe(RunStatus.Completed);
        (_pipeline.First.Runs, _pipeline.Second.Runs, _pipeline.Third.Runs).ShouldBe((3, 3, 1));
        Caches(state).ShouldAllBe(kind => kind == CacheKind.Miss);
        var last = state.Stages["third"].Finished("all")!;
        (await File.ReadAllTextAsync(await runtime.Artifacts.FetchAsync(last.Outputs["text"]))).ShouldContain(
            "texts/u00002=second factor 1"
        );
    }

    [Fact]
    public async Task After_every_unit_what_it_left_in_memory_may_go_back()
    {
        var relieved = 0;
        await using var runtime = _pipeline.Start(
            probe: new DeviceProbe((_, _) => { }, _ => { }, _ => null, Relieve: () => Interlocked.Increment(ref relieved))
        );

        await RunAsync(runtime);

        relieved.ShouldBe(7);
    }

    [Fact]
    public async Task A_second_run_takes_everything_from_stored_results()
    {
        await using var runtime = _pipeline.Start();
        var first = await RunAsync(runtime);

        var second = await RunAsync(runtime);

        Caches(second).ShouldAllBe(kind => kind == CacheKind.Hit);
        Digest(second).ShouldBe(Digest(first));
        _pipeline.First.Runs.ShouldBe(3);
        second.Stages["first"].Finished("u00000")!.Cache.Reason.ShouldBe($"same parameters and inputs as in run {first.Start!.Run}");
    }

    [Fact]
    public async Task The_latest_run_is_the_one_that_began_last_whatever_its_name()
    {
        await using var runtime = _pipeline.Start();
        (await runtime.LatestRunAsync()).ShouldBeNull();
        var run = (await RunAsync(runtime)).Start!;

        await runtime.Events.TryAppendAsync("event-0b", 0, [run with { Run = "event-0b", At = run.At.AddMinutes(-1) }]);
        (await runtime.LatestRunAsync()).ShouldBe(run.Run);

        await runtime.Events.TryAppendAsync("event-0a", 0, [run with { Run = "event-0a", At = run.At.AddMinutes(1) }]);
        (await runtime.LatestRunAsync()).ShouldBe("event-0a");
    }

    [Fact]
    public async Task A_user_error_fails_the_run_at_once_with_its_line()
    {
        _pipeline.Second.Act = (_, _) => throw new UserErrorException("second: the picture is too large");
        await using var runtime = _pipeline.Start();

        var state = await RunAsync(runtime);

        state.Status.ShouldBe(RunStatus.Failed);
        ((RunFailed)state.End!).Reason.ShouldBe("second: the picture is too large");
        _pipeline.Second.Runs.ShouldBeLessThanOrEqualTo(3);
        state.FirstFailure()!.Attempts.ShouldBe(1);
        _pipeline.Third.Runs.ShouldBe(0);
    }

    [Fact]
    public async Task A_run_goes_on_without_a_unit_that_may_fail_and_so_does_its_replay()
    {
        _pipeline.First.Act = (context, _) =>
            context.Unit == "u00001" ? throw new UserErrorException("first: the shard is torn") : Task.CompletedTask;
        await using var runtime = _pipeline.Start();

        var state = await RunAsync(runtime, TolerantPlan(0.25));

        state.Status.ShouldBe(RunStatus.Completed);
        state.Stages["first"].GivenUp.ShouldBe(["u00001"]);
        var text = await File.ReadAllTextAsync(await runtime.Artifacts.FetchAsync(state.Stages["third"].Finished("all")!.Outputs["text"]));
        text.ShouldContain("texts/u00000=");
        text.ShouldNotContain("texts/u00001=");
        _pipeline.First.Act = (_, _) => Task.CompletedTask;
        var replay = await runtime.WaitAsync(await runtime.ReplayAsync(state.Start!.Run, "third", []));
        replay.Stages["first"].GivenUp.ShouldBe(["u00001"]);
        Digest(replay).ShouldBe(Digest(state));
        var whole = await runtime.WaitAsync(await runtime.ReplayAsync(state.Start!.Run, "first", []));
        whole.Stages["first"].GivenUp.ShouldBeEmpty();
        Digest(whole).ShouldNotBe(Digest(state));
    }

    [Fact]
    public async Task A_passing_error_is_tried_again()
    {
        var failures = 2;
        _pipeline.Third.Act = (_, _) => Interlocked.Decrement(ref failures) >= 0 ? throw new TimeoutException("busy") : Task.CompletedTask;
        await using var runtime = _pipeline.Start();

        (await RunAsync(runtime)).Status.ShouldBe(RunStatus.Completed);
        _pipeline.Third.Runs.ShouldBe(3);
    }

    [Fact]
    public async Task A_lasting_error_fails_after_the_last_attempt()
    {
        _pipeline.Third.Act = (_, _) => throw new TimeoutException("busy");
        await using var runtime = _pipeline.Start();

        var state = await RunAsync(runtime);

        state.Status.ShouldBe(RunStatus.Failed);
        state.FirstFailure()!.Attempts.ShouldBe(3);
        state.FirstFailure()!.Reason.ShouldBe("TimeoutException: busy");
        state.FirstFailure()!.Detail!.ShouldContain("at ");
    }

    [Fact]
    public async Task Cancelling_stops_the_units_at_work()
    {
        var begun = _pipeline.Second.WorksWithoutEnd();
        await using var runtime = _pipeline.Start();
        var run = await runtime.SubmitAsync(await RequestAsync(runtime), Plan());
        await begun;

        (await runtime.CancelAsync(run)).ShouldBeTrue();

        (await runtime.WaitAsync(run)).Status.ShouldBe(RunStatus.Cancelled);
        (await runtime.CancelAsync(run)).ShouldBeFalse();
    }

    [Fact]
    public async Task Units_that_begin_after_their_run_has_stopped_are_not_computed_even_where_no_one_heard_of_it()
    {
        var time = new FakeTimeProvider();
        _pipeline.Time = time;
        _pipeline.First.Act = async (context, cancel) =>
        {
            // As a coordinator does that no process hears.
            await new RunStatusMarkers(new FolderObjectStore(_pipeline.Folder)).SetAsync(context.Run, RunStatus.Stopping, cancel);
            time.Advance(TimeSpan.FromSeconds(1.5)); // units that begin within a second share a look
        };
        await using var runtime = _pipeline.Start();
        var run = await runtime.SubmitAsync(await RequestAsync(runtime), Plan());

        await StoppedAsync(runtime, run, units: 2);

        _pipeline.First.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task A_unit_at_work_stops_within_seconds_even_where_no_one_heard_that_its_run_does()
    {
        var time = new FakeTimeProvider();
        _pipeline.Time = time;
        var begun = _pipeline.First.WorksWithoutEnd();
        await using var runtime = _pipeline.Start();
        var run = await runtime.SubmitAsync(await RequestAsync(runtime), Plan());
        await begun;

        await new RunStatusMarkers(new FolderObjectStore(_pipeline.Folder)).SetAsync(run, RunStatus.Stopping);

        time.Advance(TimeSpan.FromSeconds(5));
        await StoppedAsync(runtime, run, units: 3);
    }

    [Fact]
    public async Task Another_process_can_watch_and_cancel()
    {
        var begun = _pipeline.Second.WorksWithoutEnd();
        await using var host = _pipeline.Start();
        var run = await host.SubmitAsync(await RequestAsync(host), Plan());
        await begun;
        await using var other = _pipeline.Start();
        var watched = other.WaitAsync(run);

        (await other.ResumeAsync(run)).ShouldBe(ResumeOutcome.WorkedOnElsewhere);
        await other.CancelAsync(run);

        (await host.WaitAsync(run)).Status.ShouldBe(RunStatus.Cancelled);
        (await watched).Status.ShouldBe(RunStatus.Cancelled);
        (await other.ReadEventsAsync(run)).Count(stored => stored.Event is RunCancelled).ShouldBe(1);
    }

    [Fact]
    public async Task After_a_stop_in_the_middle_the_next_process_goes_on()
    {
        var begun = _pipeline.Second.WorksWithoutEnd("u00001");
        string run;
        await using (var stopped = _pipeline.Start())
        {
            run = await stopped.SubmitAsync(await RequestAsync(stopped), Plan());
            await begun;
        }

        _pipeline.Second.Act = (_, _) => Task.CompletedTask;
        await using var next = _pipeline.Start();
        (await next.StateAsync(run)).Status.ShouldBe(RunStatus.Running);
        (await next.FindUnfinishedAsync(await RequestAsync(next), Plan())).ShouldBe(run);
        (await next.ResumeAsync(run)).ShouldBe(ResumeOutcome.Resumed);
        var state = await next.WaitAsync(run);

        state.Status.ShouldBe(RunStatus.Completed);
        _pipeline.First.Runs.ShouldBe(3);
        (await next.ResumeAsync(run)).ShouldBe(ResumeOutcome.Ended);
        using var undisturbed = new FakePipeline();
        await using var runtime = undisturbed.Start();
        Digest(state).ShouldBe(Digest(await RunAsync(runtime)));
    }

    [Fact]
    public async Task A_replay_that_was_interrupted_is_found_by_the_same_request()
    {
        string origin,
            replay;
        await using (var stopped = _pipeline.Start())
        {
            origin = await stopped.SubmitAsync(await RequestAsync(stopped), Plan());
            await stopped.WaitAsync(origin);
            (await stopped.FindUnfinishedReplayAsync(origin, null, [], verify: true)).ShouldBeNull();
            var begun = _pipeline.First.WorksWithoutEnd();
            replay = await stopped.ReplayAsync(origin, null, [], verify: true);
            await begun;
        }

        _pipeline.First.Act = (_, _) => Task.CompletedTask;
        await using var next = _pipeline.Start();
        (await next.FindUnfinishedReplayAsync(origin, null, [])).ShouldBeNull("the other did not verify");
        (await next.FindUnfinishedReplayAsync(origin, null, [], verify: true)).ShouldBe(replay);
        (await next.ResumeAsync(replay)).ShouldBe(ResumeOutcome.Resumed);
        (await next.WaitAsync(replay)).Status.ShouldBe(RunStatus.Completed);
    }

    [Fact]
    public async Task A_run_that_no_process_works_on_is_reported_as_abandoned()
    {
        var begun = _pipeline.First.WorksWithoutEnd();
        string run;
        await using (var stopped = _pipeline.Start())
        {
            run = await stopped.SubmitAsync(await RequestAsync(stopped), Plan());
            await begun;
        }

        await using var other = _pipeline.Start();
        var updates = await other.WatchAsync(run).ToListAsync();

        updates[^1].ShouldBeOfType<RunUpdate.Abandoned>();
        (await other.CancelAsync(run)).ShouldBeTrue();
        (await other.StateAsync(run)).Status.ShouldBe(RunStatus.Cancelled);
    }

    [Fact]
    public async Task Watching_shows_every_event_once_and_progress()
    {
        await using var runtime = _pipeline.Start();
        var run = await runtime.SubmitAsync(await RequestAsync(runtime), Plan());

        var updates = await runtime.WatchAsync(run).ToListAsync();

        var stored = await runtime.ReadEventsAsync(run);
        updates.OfType<RunUpdate.Happened>().Select(update => update.Stored.Sequence).ShouldBe(stored.Select(one => one.Sequence));
    }

    [Fact]
    public async Task An_event_store_that_fails_ends_the_watch_with_its_line()
    {
        var run = "";
        _pipeline.Third.Act = (context, _) =>
        {
            var events = Path.Combine(_pipeline.Folder, "runs", context.Run, "events");
            Directory.Delete(events, recursive: true);
            File.WriteAllText(events, "no folder any more");
            return Task.CompletedTask;
        };
        await using var runtime = _pipeline.Start();
        run = await runtime.SubmitAsync(await RequestAsync(runtime), Plan());

        await Should.ThrowAsync<UserErrorException>(() => runtime.WaitAsync(run));
    }

    [Fact]
    public async Task Many_units_pass()
    {
        await using var runtime = _pipeline.Start();

        var state = await RunAsync(runtime, Plan(units: 60));

        state.Status.ShouldBe(RunStatus.Completed);
        state.Stages["second"].FinishedCount.ShouldBe(60);
    }

    [Fact]
    public async Task A_run_that_does_not_exist_is_named() =>
        (
            await Should.ThrowAsync<UserErrorException>(async () =>
            {
                await using var runtime = _pipeline.Start();
                await runtime.StateAsync("20260101-000000-abcd");
            })
        ).Message.ShouldContain("there is no run 20260101-000000-abcd");

    [Fact]
    public async Task A_plan_that_cannot_run_is_refused_before_anything_starts()
    {
        await using var runtime = _pipeline.Start();
        var request = await RequestAsync(runtime);

        var unknownStage = new RunPlan([new StagePlan("secnd", [], [new UnitPlan("all", [], [])], [])]);
        (await Should.ThrowAsync<UserErrorException>(() => runtime.SubmitAsync(request, unknownStage))).Message.ShouldContain(
            "did you mean second?"
        );
        var unknownKey = new RunPlan([
            new StagePlan("first", new System.Text.Json.Nodes.JsonObject { ["factr"] = 1 }, [new UnitPlan("all", [], [])], []),
        ]);
        (await Should.ThrowAsync<UserErrorException>(() => runtime.SubmitAsync(request, unknownKey))).Message.ShouldContain(
            "did you mean factor?"
        );
        (await runtime.ListRunsAsync()).ShouldBeEmpty();
    }

    private static async Task StoppedAsync(EmbeddedRuntime runtime, string run, int units)
    {
        for (var look = 0; look < 6_000; look++)
        {
            if ((await runtime.ReadEventsAsync(run)).Count(stored => stored.Event is UnitStopped) == units)
            {
                return;
            }

            await Task.Delay(10);
        }

        throw new TimeoutException($"{units} units were not stopped");
    }
}
