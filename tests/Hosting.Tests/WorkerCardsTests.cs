using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ClipSae.Coordinator;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using static ClipSae.TestKit.Pipelines.FakePipeline;

namespace ClipSae.Hosting.Tests;

/// <summary>Several cards in one process; names stand in for them.</summary>
public sealed class WorkerCardsTests : IDisposable
{
    private readonly FakePipeline _pipeline = new();
    private readonly AsyncLocal<string?> _card = new();
    private readonly ConcurrentDictionary<string, int> _busy = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<string> _used = [];

    public void Dispose() => _pipeline.Dispose();

    [Fact]
    public async Task Units_are_worked_on_at_once_each_on_a_card_of_its_own_and_give_what_one_card_gives()
    {
        string expected;
        await using (var alone = Start("a"))
        {
            expected = Digest(await RunAsync(alone, OnCards("cuda")));
        }

        Directory.Delete(_pipeline.Folder, recursive: true);
        Directory.CreateDirectory(_pipeline.Folder);
        _used.Clear();
        using var together = new Barrier(3);
        _pipeline.First.Act = (_, cancel) =>
            Task.Run(() => Compute(() => together.SignalAndWait(TimeSpan.FromSeconds(20), cancel).ShouldBeTrue()), cancel);
        await using var runtime = Start("a", "b", "c");

        var state = await RunAsync(runtime, OnCards("cuda", units: 6));

        state.Status.ShouldBe(RunStatus.Completed, state.FirstFailure()?.Reason);
        _used.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ShouldBe(["a", "b", "c"]);
        _used.Count.ShouldBe(6);
        (await RunAsync(runtime, OnCards("cuda"))).Stages["first"].Finished("u00000")!.Cache.Kind.ShouldBe(CacheKind.Hit);
        Digest(await RunAsync(runtime, OnCards("cuda"))).ShouldBe(expected);
    }

    [Fact]
    public async Task Units_without_a_card_take_turns()
    {
        var atOnce = 0;
        _pipeline.First.Act = async (_, cancel) =>
        {
            _card.Value.ShouldBeNull();
            Interlocked.Increment(ref atOnce).ShouldBe(1);
            await Task.Delay(20, cancel);
            Interlocked.Decrement(ref atOnce);
        };
        await using var runtime = Start("a", "b", "c");

        (await RunAsync(runtime, OnCards("cpu", units: 6))).Status.ShouldBe(RunStatus.Completed);
    }

    [Fact]
    public async Task A_unit_whose_card_is_lost_goes_on_with_another_and_no_other_unit_gets_the_lost_one()
    {
        _pipeline.First.Act = (_, _) =>
            Compute(() =>
            {
                if (_card.Value == "b")
                {
                    throw new ExternalException("CUDA error: an illegal memory access was encountered");
                }
            });
        await using var runtime = Start("a", "b");

        var state = await RunAsync(runtime, OnCards("cuda", units: 6));

        state.Status.ShouldBe(RunStatus.Completed, state.FirstFailure()?.Reason);
        _used.Count(card => card == "b").ShouldBe(1);
    }

    [Fact]
    public async Task Without_a_card_that_computes_the_run_fails_with_one_line()
    {
        _pipeline.First.Act = (_, _) => Compute(() => throw new ExternalException("CUDA error: unspecified launch failure"));
        await using var runtime = Start("a", "b");

        var state = await RunAsync(runtime, OnCards("cuda"));

        ((RunFailed)state.End!).Reason.ShouldStartWith("every card of this machine is lost");
        _used.Order(StringComparer.Ordinal).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task A_card_that_was_named_and_is_lost_is_one_line()
    {
        _pipeline.First.Act = (_, _) => throw new ExternalException("CUDA error: unspecified launch failure\nmore");
        await using var runtime = Start();

        ((RunFailed)(await RunAsync(runtime, OnCards("cuda:1"))).End!).Reason.ShouldBe(
            "cuda:1 no longer computes (CUDA error: unspecified launch failure): "
                + "start again to continue from the last checkpoint; see nvidia-smi for details"
        );
    }

    // Does the work and sees that no other unit has the same card.
    private Task Compute(Action work)
    {
        var card = _card.Value.ShouldNotBeNull();
        _used.Add(card);
        _busy.AddOrUpdate(card, 1, (_, units) => units + 1).ShouldBe(1);
        try
        {
            work();
        }
        finally
        {
            _busy[card]--;
        }

        return Task.CompletedTask;
    }

    private EmbeddedRuntime Start(params string[] cards) =>
        EmbeddedRuntime.Create(
            new ClipSaeOptions
            {
                DataFolder = _pipeline.Folder,
                UnitsAtOnce = Math.Max(1, cards.Length),
                RetryDelay = TimeSpan.FromMilliseconds(1),
                PollInterval = TimeSpan.FromMilliseconds(40),
            },
            services =>
                services
                    .AddCoordinator()
                    .AddSingleton(new WorkerCards(cards, Use))
                    .AddSingleton<IStage>(_pipeline.First)
                    .AddSingleton<IStage>(_pipeline.Second)
                    .AddSingleton<IStage>(_pipeline.Third)
        );

    private Restored Use(string card)
    {
        var restored = new Restored(() => _card.Value = null);
        _card.Value = card;
        return restored;
    }

    private static RunPlan OnCards(string device, int units = 3)
    {
        var plan = Plan(units);
        plan.Stages[0].Parameters["device"] = device;
        return plan;
    }

    private sealed class Restored(Action restore) : IDisposable
    {
        public void Dispose() => restore();
    }
}
