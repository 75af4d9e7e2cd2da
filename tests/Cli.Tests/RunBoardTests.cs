using ClipSae.Cli.Output;
using ClipSae.Hosting.Runs;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Cli.Tests;

public class RunBoardTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_stage_that_goes_on_without_a_shard_is_complete_and_names_it()
    {
        var board = new RunBoard();
        foreach (var happened in Events(tolerated: 0.5))
        {
            board.Apply(happened);
        }

        var line = board.Read(stages => ProgressDisplay.Line(stages[0], At));
        var summary = new RunSummary("r", RunState.Fold(Events(tolerated: 0.5)));

        line.ShouldStartWith("embedding-extraction: done in");
        line.ShouldEndWith(" without 00001");
        summary.State.Missing().ShouldHaveSingleItem().Reason.ShouldBe("torn");
        summary.ToJson(null)["missing"]![0]!["unit"]!.GetValue<string>().ShouldBe("00001");
    }

    [Fact]
    public void A_failure_within_what_is_tolerated_does_not_show_the_stage_as_failed()
    {
        var tolerant = new RunBoard();
        var strict = new RunBoard();
        foreach (var (happened, same) in Events(0.5).Zip(Events(0)).SkipLast(2))
        {
            tolerant.Apply(happened);
            strict.Apply(same);
        }

        tolerant.Read(stages => stages[0].IsFailed).ShouldBeFalse();
        strict.Read(stages => stages[0].IsFailed).ShouldBeTrue();
    }

    [Fact]
    public void A_row_of_the_live_table_fits_a_terminal_of_eighty_columns_whatever_it_tells()
    {
        var board = new RunBoard();
        foreach (var happened in Events(tolerated: 0).Take(2))
        {
            board.Apply(happened);
        }

        board.Apply(
            new UnitProgress("r", "embedding-extraction", "00000", 0, 100, "images", null, null, new Dictionary<string, double>()),
            At
        );
        board.Apply(
            new UnitProgress(
                "r",
                "embedding-extraction",
                "00000",
                50,
                100,
                "images",
                12.3,
                null,
                new Dictionary<string, double>
                {
                    ["a long name"] = 1,
                    ["another long name"] = 2,
                    ["a third"] = 3,
                }
            ),
            At
        );

        foreach (var width in new[] { 80, 60, 200 })
        {
            var row = board.Read(stages => ProgressDisplay.Row(stages[0], At.AddSeconds(10), width));
            var text = Spectre.Console.Markup.Remove(row);
            text.Length.ShouldBeLessThan(width);
            text.ShouldContain("embedding-extraction");
            text.ShouldContain("0/2");
        }
    }

    [Fact]
    public void The_time_left_of_the_whole_run_counts_stages_to_come_by_what_they_took_before()
    {
        var board = new RunBoard();
        board.Apply(Events(tolerated: 0).First());
        var pace = new Dictionary<string, TimeSpan> { ["embedding-extraction"] = TimeSpan.FromSeconds(30) };

        board.Read(stages => WholeRun.Line(stages, At, pace)).ShouldBe("whole run: about 60 s left");
        board
            .Read(stages => WholeRun.Line(stages, At, new Dictionary<string, TimeSpan>()))
            .ShouldBe("whole run: embedding-extraction to come");
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(1, "a to come")]
    [InlineData(2, "a and 1 more stage to come")]
    [InlineData(3, "a and 2 more stages to come")]
    public void Stages_of_which_nothing_is_known_are_counted(int unknown, string? said) =>
        new RunPace(TimeSpan.Zero, [.. new[] { "a", "b", "c" }.Take(unknown)]).ToCome.ShouldBe(said);

    [Fact]
    public void Facts_that_come_twice_or_in_another_order_show_the_run_as_its_state_does()
    {
        var events = Events(tolerated: 0.5).ToArray();
        var board = new RunBoard();
        foreach (var happened in (RunEvent[])[events[0], events[1], events[3], events[2], events[3], events[4]])
        {
            board.Apply(happened);
        }

        var failedLater = new UnitFailed("embedding-extraction", "00000", "w", "again", 1) { At = At.AddHours(1) };
        board.Apply(failedLater);

        board.State.Stages["embedding-extraction"].IsComplete.ShouldBeTrue();
        board.Read(stages => (stages[0].Ended, stages[0].Cached, stages[0].IsFailed)).ShouldBe((1, 0, false));
        board.Read(stages => stages[0].Units["00000"].Status).ShouldBe(UnitStatus.Done);
        board.Read(stages => stages[0].Elapsed(At.AddHours(2))).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void The_time_left_is_that_of_what_is_counted_now()
    {
        var plan = new RunPlan([new StagePlan("attack-curation", [], [new UnitPlan("all", [], [])], [])]);
        var board = new RunBoard();
        board.Apply(new RunStarted("run", plan, new RunSpec(new Dictionary<string, ArtifactRef>(), [])) { At = At });
        board.Apply(Progress(6, 7, "ablations"), At);
        board.Apply(Progress(0, 1000, "images"), At.AddMinutes(10));
        board.Apply(Progress(100, 1000, "images"), At.AddMinutes(10).AddSeconds(1));

        board.Read(stages => stages[0].Left(At.AddMinutes(10).AddSeconds(1))).ShouldBe(TimeSpan.FromSeconds(9));

        static UnitProgress Progress(long done, long total, string items) =>
            new("run", "attack-curation", "all", done, total, items, null, null, new Dictionary<string, double>());
    }

    [Fact]
    public void The_versions_of_the_algorithms_are_named()
    {
        var plan = new RunPlan([
            new StagePlan("sae-training", [], [new UnitPlan("a", [], [])], [], AlgorithmVersion: 7),
            new StagePlan("report", [], [], [], AlgorithmVersion: 1),
        ]);
        var inputs = new Dictionary<string, ArtifactRef>();

        var summary = new RunSummary(
            "r",
            RunState.Fold([
                new RunStarted("r", plan, new RunSpec(inputs, [])) { At = At },
                new UnitFinished("sae-training", "a", "w", "key", inputs, [], new CacheOutcome(CacheKind.Miss, ""), 1, At) { At = At },
            ])
        );

        summary.Versions.ShouldBe("algorithm versions: sae-training 7, report 1");
        summary.Stages()[0]!["algorithmVersion"]!.GetValue<int>().ShouldBe(7);
    }

    [Fact]
    public void What_a_verification_compared_is_said()
    {
        var plan = new RunPlan([new StagePlan("sae-training", [], [new UnitPlan("a", [], []), new UnitPlan("b", [], [])], [], 0)]);
        var outputs = new Dictionary<string, ArtifactRef> { ["x"] = new("sha256:1", 1, "x", "") };
        UnitFinished Finished(string unit, CacheKind kind) =>
            new("sae-training", unit, "w", "key", outputs, [], new CacheOutcome(kind, ""), 1, At) { At = At };

        new RunSummary(
            "r",
            RunState.Fold([
                new RunStarted("r", plan, new RunSpec(outputs, [], Verify: true)) { At = At },
                Finished("a", CacheKind.Verified),
                Finished("b", CacheKind.Miss),
                new RunCompleted { At = At },
            ])
        ).Verification.ShouldBe(
            "verified: 1 unit computed again, all 1 outputs equal to the last bit to those stored before. "
                + "Not compared, since nothing was stored: sae-training/b."
        );
    }

    [Fact]
    public void A_failed_run_is_not_one_that_was_taken_from_the_store()
    {
        var events = Events(tolerated: 0).ToList();
        new RunSummary("r", RunState.Fold(events)).IsAllCached.ShouldBeFalse();
        new RunSummary(
            "r",
            RunState.Fold([events[0], new RunFailed("embedding-extraction", "00001", "torn") { At = At }])
        ).IsAllCached.ShouldBeFalse();
    }

    private static IEnumerable<RunEvent> Events(double tolerated)
    {
        var units = new[] { "00000", "00001" };
        var plan = new RunPlan([
            new StagePlan("embedding-extraction", [], [.. units.Select(unit => new UnitPlan(unit, [], []))], [], tolerated),
        ]);
        yield return new RunStarted("r", plan, new RunSpec(new Dictionary<string, ArtifactRef>(), [])) { At = At };
        yield return new UnitsRequested("embedding-extraction", units) { At = At };
        yield return new UnitFailed("embedding-extraction", "00001", "w", "torn", 1) { At = At };
        var outputs = new Dictionary<string, ArtifactRef>();
        yield return new UnitFinished(
            "embedding-extraction",
            "00000",
            "w",
            "key",
            outputs,
            [],
            new CacheOutcome(CacheKind.Miss, "new"),
            1,
            At
        )
        {
            At = At,
        };
        yield return new UnitsGivenUp("embedding-extraction", ["00001"]) { At = At };
    }
}
