using ClipSae.Artifacts;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClipSae.Coordinator.Tests;

public sealed class StalledRunsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly EventStore _store = new(new MemoryObjectStore(TimeProvider.System));
    private readonly RecordingSender _sender = new();
    private readonly Activity _activity = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_run_that_stands_still_and_whose_units_are_nowhere_gets_them_again()
    {
        var runs = CreateSut();
        await AppendAsync("run", Started(), Requested());

        await runs.LookAsync(default);
        _sender.Sent.ShouldBeEmpty("it may have moved just before");
        _activity.Seen = true;
        await runs.LookAsync(default);
        _sender.Sent.ShouldBeEmpty("a unit is at work");
        _activity.Seen = false;
        await runs.LookAsync(default);

        _sender.Sent.ShouldBe(["a/u"]);
    }

    [Fact]
    public async Task A_run_that_moved_is_left_alone()
    {
        var runs = CreateSut();
        await AppendAsync("run", Started(), Requested());
        await runs.LookAsync(default);
        await AppendAsync(
            "run",
            new UnitFinished(
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
            }
        );

        await runs.LookAsync(default);

        _sender.Sent.ShouldBe(["b/u"], "the step that follows, which no one has taken");
    }

    [Fact]
    public async Task The_step_that_a_crash_left_out_is_taken_at_the_first_look()
    {
        await AppendAsync("run", Started());

        await CreateSut().LookAsync(default);

        _sender.Sent.ShouldBe(["a/u"]);
    }

    [Fact]
    public async Task A_run_whose_sign_says_that_it_has_ended_is_not_read()
    {
        await AppendAsync("run", Started());
        await new RunStatusMarkers(new FolderObjectStore(_folder.Path)).SetAsync("run", RunStatus.Completed);

        await CreateSut().LookAsync(default);

        _sender.Sent.ShouldBeEmpty();
    }

    private StalledRuns CreateSut()
    {
        var coordinator = new RunCoordinator(_store, _sender, [], TimeProvider.System);
        return new StalledRuns(
            coordinator,
            new RunRecovery(coordinator, TimeProvider.System),
            _activity,
            _store,
            new RunStatusMarkers(new FolderObjectStore(_folder.Path)),
            new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance),
            TimeProvider.System,
            NullLogger<StalledRuns>.Instance
        );
    }

    private async Task AppendAsync(string run, params RunEvent[] happened) =>
        (await _store.TryAppendAsync(run, (await _store.ReadAsync(run)).Count, happened)).ShouldBeTrue();

    private static RunStarted Started() =>
        new(
            "run",
            new RunPlan([
                new StagePlan("a", [], [new UnitPlan("u", [], [])], []),
                new StagePlan("b", [], [new UnitPlan("u", [], [new InputSelector("a", "a/*:*")])], []),
            ]),
            new RunSpec(new Dictionary<string, ArtifactRef>(), [])
        )
        {
            At = DateTimeOffset.UnixEpoch,
        };

    private static UnitsRequested Requested() => new("a", ["u"]) { At = DateTimeOffset.UnixEpoch };

    private sealed class Activity : IUnitActivity
    {
        public bool Seen { get; set; }

        public Task<bool> AnyAsync(string run, RunState state, CancellationToken cancel) => Task.FromResult(Seen);
    }
}
