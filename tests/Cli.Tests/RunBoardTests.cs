using ClipSae.Contracts;

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
        var summary = new RunSummary("r", Events(tolerated: 0.5));

        line.ShouldStartWith("embedding-extraction: done in");
        line.ShouldEndWith(" without 00001");
        summary.Missing.ShouldHaveSingleItem().Reason.ShouldBe("torn");
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

    private static IEnumerable<RunEvent> Events(double tolerated)
    {
        var units = new[] { "00000", "00001" };
        var plan = new RunPlan([new StagePlan("embedding-extraction", [], [.. units.Select(unit => new UnitPlan(unit, [], []))], [], tolerated)]);
        yield return new RunStarted("r", plan, new Dictionary<string, ArtifactRef>(), [], 0) { At = At };
        yield return new UnitsRequested("embedding-extraction", units) { At = At };
        yield return new UnitFailed("embedding-extraction", "00001", "w", "torn", 1) { At = At };
        var outputs = new Dictionary<string, ArtifactRef>();
        yield return new UnitFinished("embedding-extraction", "00000", "w", "key", outputs, [], new CacheOutcome(CacheKind.Miss, "new"), 1, At) { At = At };
        yield return new UnitsGivenUp("embedding-extraction", ["00001"]) { At = At };
    }
}
