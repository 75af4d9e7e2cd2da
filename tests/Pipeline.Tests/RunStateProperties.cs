using ClipSae.Pipeline.Runs;
using FsCheck;
using FsCheck.Fluent;

namespace ClipSae.Pipeline.Tests;

public class RunStateProperties
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Every_valid_history_ends() => ForAnyHistory(seed => RunState.Fold(History.Of(seed)).End.ShouldNotBeNull());

    [Fact]
    public void Any_prefix_folds_and_each_unit_is_in_one_place() =>
        ForAnyHistory(seed =>
        {
            var state = RunState.Empty;
            foreach (var happened in History.Of(seed))
            {
                state = state.Apply(happened);
                foreach (var stage in state.Stages.Values)
                {
                    (stage.Waiting.Count + stage.Outstanding.Count + stage.Facts.Count).ShouldBe(stage.Plan.Units.Count);
                    stage.FinishedCount.ShouldBe(stage.Facts.Values.Count(fact => fact is UnitFinished));
                    stage.FailedCount.ShouldBe(stage.Facts.Values.Count(fact => fact is UnitFailed));
                    stage.StoppedCount.ShouldBe(stage.Facts.Values.Count(fact => fact is UnitStopped));
                }
            }
        });

    [Fact]
    public void Deciding_twice_sends_nothing_new() =>
        ForAnyHistory(seed =>
        {
            var history = History.Of(seed);
            var state = RunState.Empty;
            foreach (var happened in history)
            {
                state = state.Apply(happened);
                var decided = RunDecisions.Decide(state);
                var after = RunDecisions.Record(decided, Now).Aggregate(state, (before, requested) => before.Apply(requested));

                RunDecisions.Decide(after).ShouldBeEmpty();
                RunDecisions
                    .Outstanding(after)
                    .OfType<RunUnit>()
                    .Select(Name)
                    .Order()
                    .ShouldBe(RunDecisions.Outstanding(state).Concat(decided).OfType<RunUnit>().Select(Name).Order());
            }
        });

    [Fact]
    public void The_order_of_unit_facts_is_irrelevant_up_to_the_decision_to_go_on_without_some() =>
        ForAnyHistory(seed =>
        {
            RunEvent[] open = [.. History.Of(seed).Where(happened => happened is not RunEnded)];
            var shuffled = open.ToArray();
            var random = new Random(seed);
            var places = new List<int>();
            for (var place = 0; place <= shuffled.Length; place++)
            {
                if (place == shuffled.Length || shuffled[place] is UnitsGivenUp)
                {
                    var facts = places.Select(index => shuffled[index]).ToArray();
                    random.Shuffle(facts);
                    places.Select((index, order) => shuffled[index] = facts[order]).Count();
                    places.Clear();
                }
                else if (shuffled[place] is UnitFact)
                {
                    places.Add(place);
                }
            }

            Described(RunState.Fold(shuffled)).ShouldBe(Described(RunState.Fold(open)));
        });

    [Fact]
    public void A_run_goes_on_without_failed_units_within_what_is_tolerated_and_fails_beyond() =>
        ForAnyHistory(seed =>
        {
            var history = History.Of(seed);
            var state = RunState.Fold(history);
            foreach (var stage in state.Stages.Values)
            {
                (stage.FailedCount <= stage.ToleratedFailures).ShouldBe(!stage.HasFailed);
                stage.GivenUp.Count.ShouldBeLessThanOrEqualTo(stage.ToleratedFailures);
                stage.GivenUp.ShouldAllBe(unit => stage.Facts[unit] is UnitFailed);
                stage.ToleratedFailures.ShouldBeLessThan(stage.Plan.Units.Count);
            }

            state.HasFailure.ShouldBe(state.FirstFailure() is not null);
            if (state.End is RunCompleted)
            {
                history
                    .OfType<UnitsGivenUp>()
                    .Select(givenUp => $"{givenUp.Stage} {string.Join(',', givenUp.Units)}")
                    .ShouldBe(
                        state
                            .StagesInOrder()
                            .Where(stage => stage.FailedCount > 0)
                            .Select(stage => $"{stage.Plan.Stage} {string.Join(',', stage.FailedUnits().Select(failed => failed.Unit))}")
                    );
            }
            else if (state.End is RunFailed)
            {
                state.HasFailure.ShouldBeTrue();
            }
        });

    [Fact]
    public void A_run_ends_though_the_failure_for_which_it_stopped_is_overtaken_by_a_result()
    {
        var state = RunState.Fold([
            History.Start(History.Plan(2, 1), Now),
            new UnitsRequested("s0", ["u0", "u1"]) { At = Now },
            new UnitFailed("s0", "u0", "w", "no answer", 3, null) { At = Now },
            new UnitStopped("s0", "u1", "v") { At = Now },
            History.Finished("s0", "u0", Now, "twin"),
        ]);

        state.HasFailure.ShouldBeFalse();
        state.Status.ShouldBe(RunStatus.Stopping);
        RunDecisions.Conclude(state, Now).ShouldBeOfType<RunFailed>().Unit.ShouldBe("u1");
        RunDecisions.Conclude(state.Apply(History.Finished("s0", "u1", Now)), Now).ShouldBeNull();
        state.Apply(History.Finished("s0", "u1", Now)).Status.ShouldBe(RunStatus.Running);
    }

    [Fact]
    public void What_is_given_out_again_has_the_inputs_it_had_the_first_time() =>
        ForAnyHistory(seed =>
        {
            var state = RunState.Empty;
            var inputs = new Dictionary<string, string>();
            foreach (var happened in History.Of(seed))
            {
                foreach (var command in RunDecisions.Decide(state).Concat(RunDecisions.Outstanding(state)).OfType<RunUnit>())
                {
                    var seen = string.Join(',', command.Inputs.Keys);
                    inputs.TryAdd(Name(command), seen);
                    seen.ShouldBe(inputs[Name(command)]);
                }

                state = state.Apply(happened);
            }
        });

    [Fact]
    public void Repeated_facts_change_nothing() =>
        ForAnyHistory(seed =>
        {
            var state = RunState.Empty;
            foreach (var happened in History.Of(seed))
            {
                state = state.Apply(happened);
                ReferenceEquals(state.Apply(happened), state).ShouldBeTrue();
            }
        });

    [Fact]
    public void Nothing_counts_after_the_end() =>
        ForAnyHistory(seed =>
        {
            var history = History.Of(seed);
            var state = RunState.Fold(history);

            ReferenceEquals(history.Aggregate(state, (ended, happened) => ended.Apply(happened)), state).ShouldBeTrue();
            RunDecisions.Decide(state).ShouldBeEmpty();
            RunDecisions.Outstanding(state).ShouldBeEmpty();
            RunDecisions.Conclude(state, Now).ShouldBeNull();
        });

    [Fact]
    public void A_unit_gets_all_outputs_of_the_stages_it_names_but_those_given_up_and_never_starts_before() =>
        ForAnyHistory(seed =>
        {
            var state = RunState.Empty;
            foreach (var happened in History.Of(seed))
            {
                state = state.Apply(happened);
                foreach (var command in RunDecisions.Decide(state).OfType<RunUnit>().Where(command => command.Stage != "s0"))
                {
                    var before = state.Stages["s" + (int.Parse(command.Stage[1..], System.Globalization.CultureInfo.InvariantCulture) - 1)];
                    before.IsComplete.ShouldBeTrue();
                    command
                        .Inputs.Keys.Where(name => name.StartsWith("all/", StringComparison.Ordinal))
                        .ShouldBe(before.Plan.Units.Where(unit => !before.GivenUp.Contains(unit.Name)).Select(unit => "all/" + unit.Name));
                    command
                        .Inputs.Keys.Where(name => name.StartsWith("shards/", StringComparison.Ordinal))
                        .ShouldBe(state.Stages["s0"].FinishedUnits().Select(unit => "shards/" + unit.Unit));
                }
            }
        });

    // 200 seeds, other ones each time; a failure names its seed.
    private static void ForAnyHistory(Action<int> holds) => Prop.ForAll(holds).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    private static string Name(RunUnit unit) => unit.Stage + "/" + unit.Unit;

    private static string Described(RunState state) =>
        string.Join(
            '\n',
            state
                .StagesInOrder()
                .Select(stage =>
                    $"{stage.Plan.Stage}: waiting {string.Join(',', stage.Waiting.Order())}; "
                    + $"out {string.Join(',', stage.Outstanding.Order())}; "
                    + string.Join(
                        ',',
                        stage
                            .Facts.OrderBy(fact => fact.Key)
                            .Select(fact => $"{fact.Value.GetType().Name}@{fact.Value.At:O}/{fact.Value.Worker}")
                    )
                )
        )
        + state.Status
        + state.FirstFailure()?.At;
}
