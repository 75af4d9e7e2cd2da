using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

/// <summary>What a run's end says, on histories of a few events.</summary>
public class RunEndTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Where_no_unit_may_fail_the_reason_is_the_failures_own() =>
        Failed(History.Plan(2), Failure("u1")).Reason.ShouldBe("u1 is torn");

    [Fact]
    public void Where_some_may_fail_the_reason_names_those_that_did() =>
        Failed(History.Plan(0.4, [3]), Failure("u0"), Failure("u2"))
            .Reason.ShouldBe("u0 is torn (2 of 3 units failed, 1 are tolerated: u0, u2)");

    [Theory]
    [InlineData(20, "")]
    [InlineData(22, " and 2 more")]
    public void Twenty_units_are_named_and_the_others_counted(int failed, string more)
    {
        var reason = Failed(History.Plan(0.1, [40]), [.. Enumerable.Range(0, failed).Select(unit => Failure($"u{unit}"))]).Reason;

        reason.ShouldStartWith($"u0 is torn ({failed} of 40 units failed, 4 are tolerated: u0, u1, ");
        reason.ShouldEndWith($", u18, u19{more})");
    }

    [Fact]
    public void The_earliest_failure_ends_the_run_and_of_those_at_one_time_the_first_by_name()
    {
        var late = Failure("u0") with { At = Now.AddSeconds(1) };

        Failed(History.Plan(3), late, Failure("u2"), Failure("u1")).Unit.ShouldBe("u1");
    }

    [Fact]
    public void A_run_that_is_to_be_cancelled_is_stopping_and_gives_no_unit_up()
    {
        var running = Play(History.Plan(0.5, [2]), Failure("u0"), History.Finished("s0", "u1", Now));
        RunDecisions.GiveUp(running, Now).ShouldHaveSingleItem().Units.ShouldBe(["u0"]);

        var state = running.Apply(new RunCancelRequested("x") { At = Now });

        state.Status.ShouldBe(RunStatus.Stopping);
        RunDecisions.GiveUp(state, Now).ShouldBeEmpty();
    }

    [Fact]
    public void A_unit_that_two_workers_finished_is_counted_once()
    {
        var state = Play(
            History.Plan(2),
            History.Finished("s0", "u0", Now.AddSeconds(1), "slow"),
            History.Finished("s0", "u0", Now, "quick")
        );

        state.Stages["s0"].FinishedCount.ShouldBe(1);
        state.Stages["s0"].Finished("u0")!.Worker.ShouldBe("quick");
    }

    private static UnitFailed Failure(string unit) => new("s0", unit, "w", $"{unit} is torn", 3) { At = Now };

    private static RunFailed Failed(RunPlan plan, params UnitFact[] facts) =>
        RunDecisions.Conclude(Stopped(plan, facts), Now).ShouldBeOfType<RunFailed>();

    private static RunState Stopped(RunPlan plan, UnitFact[] facts) =>
        plan.Stages[0]
            .Units.Where(unit => facts.All(fact => fact.Unit != unit.Name))
            .Aggregate(Play(plan, facts), (state, unit) => state.Apply(new UnitStopped("s0", unit.Name, "w") { At = Now }));

    private static RunState Play(RunPlan plan, params UnitFact[] facts) =>
        RunState.Fold([
            History.Start(plan, Now),
            new UnitsRequested("s0", [.. plan.Stages[0].Units.Select(unit => unit.Name)]) { At = Now },
            .. facts,
        ]);
}
