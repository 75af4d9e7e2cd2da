using ClipSae.Artifacts;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Pruning;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.Pipeline.Tests;

public sealed class PrunerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly EventStore _events;
    private readonly Pruner _sut;

    public PrunerTests()
    {
        _events = new EventStore(new FolderObjectStore(_folder.Path));
        _sut = new Pruner(_events, new FolderObjectStore(_folder.Path), _time);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_no_run_refers_to_goes_once_it_is_old_and_the_rest_stays()
    {
        await EndedAsync("first", new RunCompleted { At = _time.GetUtcNow() });
        Put(
            "stages/none/result.json",
            "stages/none/lock",
            "stages/last/s0/u0",
            "stages/defaults/s0.json",
            "checkpoints/none/index.json",
            Blob("none")
        );

        await PruneAsync();
        Left().ShouldContain(Blob("none"), "it may belong to a run that is about to begin");
        _time.Advance(PrunePlan.Untouched + TimeSpan.FromMinutes(1));
        var groups = await PruneAsync();

        groups
            .Select(group => (group.Kind, group.Items.Count))
            .ShouldBe([(PruneKind.Runs, 0), (PruneKind.Results, 2), (PruneKind.Checkpoints, 1), (PruneKind.Artifacts, 1)]);
        groups[3].Bytes.ShouldBe(4);
        Left()
            .ShouldBe(
                [
                    "runs/first/events/00000001.json",
                    "stages/defaults/s0.json",
                    "stages/key-s0-first/result.json",
                    "stages/key-s1-first/result.json",
                    "stages/last/s0/u0",
                    Blob("in"),
                    Blob("s0-first"),
                    Blob("s1-first"),
                ],
                ignoreOrder: true
            );
        Directory.Exists(_folder.File("stages", "none")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_run_that_is_not_kept_goes_with_all_that_only_it_has()
    {
        await EndedAsync("first", new RunCompleted { At = _time.GetUtcNow() });
        await EndedAsync("second", new RunCompleted { At = _time.GetUtcNow() });
        Put("runs/first/tuned.safetensors");

        await PruneAsync(keep: ["second"]);

        Left()
            .ShouldBe(
                [
                    "runs/second/events/00000001.json",
                    "stages/key-s0-second/result.json",
                    "stages/key-s1-second/result.json",
                    Blob("in"),
                    Blob("s0-second"),
                    Blob("s1-second"),
                ],
                ignoreOrder: true
            );
        (await new EventStore(new FolderObjectStore(_folder.Path)).ListRunsAsync()).ShouldBe(["second"]);
    }

    [Fact]
    public async Task What_a_dropped_stage_gave_goes_from_kept_runs_too()
    {
        await EndedAsync("first", new RunCompleted { At = _time.GetUtcNow() });

        await PruneAsync(dropped: ["s0"]);

        Left()
            .ShouldBe(
                ["runs/first/events/00000001.json", "stages/key-s1-first/result.json", Blob("in"), Blob("s1-first")],
                ignoreOrder: true
            );
    }

    [Fact]
    public async Task Checkpoints_stay_while_a_kept_run_may_be_tried_again()
    {
        await EndedAsync("first", new RunCancelled { At = _time.GetUtcNow() });
        await EndedAsync("second", new RunCompleted { At = _time.GetUtcNow() });
        Put("checkpoints/key/index.json");
        _time.Advance(PrunePlan.Untouched + TimeSpan.FromMinutes(1));

        await PruneAsync();
        Left().ShouldContain("checkpoints/key/index.json");
        await PruneAsync(keep: ["second"]);

        Left().ShouldNotContain("checkpoints/key/index.json");
    }

    [Fact]
    public async Task Nothing_goes_while_a_run_has_not_ended()
    {
        await EndedAsync("first", new RunCompleted { At = _time.GetUtcNow() });
        await EndedAsync("second");
        var before = Left();

        var error = await Should.ThrowAsync<UserErrorException>(() => PruneAsync(keep: ["second"]));

        error.Message.ShouldBe("nothing is removed: run second is unfinished; let it end, or stop it with 'clipsae cancel second'");
        Left().ShouldBe(before);
    }

    [Fact]
    public async Task What_would_go_is_told_while_a_run_has_not_ended_and_the_run_is_kept()
    {
        await EndedAsync("first", new RunCompleted { At = _time.GetUtcNow() });
        await EndedAsync("second");

        var plan = await _sut.PlanAsync(new HashSet<string> { "nothing" }, new HashSet<string>(), TestContext.Current.CancellationToken);

        plan.Unfinished.ShouldBe(["second"]);
        var going = plan.Groups.Single(group => group.Kind == PruneKind.Runs).Items.Select(item => item.Key.Split('/')[1]).Distinct();
        going.ShouldBe(["first"]);
    }

    [Fact]
    public async Task Nothing_goes_while_a_run_cannot_be_read()
    {
        await EndedAsync("first", new RunCompleted { At = _time.GetUtcNow() });
        Put("runs/damaged/events/00000001.json");

        (await Should.ThrowAsync<UserErrorException>(() => PruneAsync())).Message.ShouldStartWith(
            "nothing is removed: run damaged cannot be read: "
        );
    }

    [Fact]
    public async Task A_run_that_begins_meanwhile_keeps_what_is_left()
    {
        await EndedAsync("first", new RunCompleted { At = _time.GetUtcNow() });
        var plan = await _sut.PlanAsync(new HashSet<string>(), new HashSet<string>());
        await EndedAsync("second");

        var error = await Should.ThrowAsync<UserErrorException>(() => _sut.RemoveAsync(plan));

        error.Message.ShouldStartWith("run second started meanwhile");
        Left().ShouldContain(Blob("in"));
    }

    private async Task<IReadOnlyList<PruneGroup>> PruneAsync(string[]? keep = null, string[]? dropped = null)
    {
        var plan = await _sut.PlanAsync(keep?.ToHashSet(), (dropped ?? []).ToHashSet());
        await _sut.RemoveAsync(plan);
        return plan.Groups;
    }

    /// <summary>
    /// A run of two stages with one unit each, named after the run, and one input that all runs share; it goes on where no end is given.
    /// </summary>
    private async Task EndedAsync(string run, params RunEvent[] end)
    {
        var now = _time.GetUtcNow();
        var plan = new RunPlan([.. new[] { "s0", "s1" }.Select(stage => new StagePlan(stage, [], [new UnitPlan(run, [], [])], []))]);
        UnitFinished Finished(string stage) =>
            new(
                stage,
                run,
                "w",
                $"key-{stage}-{run}",
                new Dictionary<string, ArtifactRef> { ["out"] = Artifact($"{stage}-{run}") },
                [],
                new CacheOutcome(CacheKind.Miss, "new"),
                1,
                now
            )
            {
                At = now,
            };
        RunEvent[] log =
        [
            new RunStarted(run, plan, new RunSpec(new Dictionary<string, ArtifactRef> { ["dataset:a"] = Artifact("in") }, [], 1))
            {
                At = now,
            },
            Finished("s0"),
            Finished("s1"),
            .. end,
        ];
        (await _events.TryAppendAsync(run, 0, log)).ShouldBeTrue();
        Put($"stages/key-s0-{run}/result.json", $"stages/key-s1-{run}/result.json", Blob("in"), Blob($"s0-{run}"), Blob($"s1-{run}"));
    }

    private static ArtifactRef Artifact(string name) => new($"sha256:{name}", 4, "x/y", name);

    private static string Blob(string name) => $"blobs/sha256/{name[..2]}/{name}";

    private void Put(params string[] keys)
    {
        foreach (var key in keys)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(key))!);
            File.WriteAllText(_folder.File(key), "text");
        }
    }

    private string[] Left() =>
        [
            .. Directory
                .GetFiles(_folder.Path, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(_folder.Path, file))
                .Order(StringComparer.Ordinal),
        ];
}
