using ClipSae.Contracts;
using FsCheck;
using FsCheck.Fluent;

namespace ClipSae.Pipeline.Tests;

public class RunStateProperties
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Every_valid_history_ends() => ForAnyHistory(seed => RunState.Fold(History.Of(seed)).End.ShouldNotBeNull());

    [Fact]
    public void Any_prefix_folds_and_each_unit_is_in_one_place() => ForAnyHistory(seed =>
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
            }
        }
    });

    [Fact]
    public void Deciding_twice_sends_nothing_new() => ForAnyHistory(seed =>
    {
        var history = History.Of(seed);
        var state = RunState.Empty;
        foreach (var happened in history)
        {
            state = state.Apply(happened);
            var decided = RunDecisions.Decide(state);
            var after = RunDecisions.Record(decided, Now).Aggregate(state, (before, requested) => before.Apply(requested));

            RunDecisions.Decide(after).ShouldBeEmpty();
            RunDecisions.Outstanding(after).OfType<RunUnit>().Select(Name).Order()
                .ShouldBe(RunDecisions.Outstanding(state).Concat(decided).OfType<RunUnit>().Select(Name).Order());
        }
    });

    [Fact]
    public void The_order_of_unit_facts_is_irrelevant() => ForAnyHistory(seed =>
    {
        var history = History.Of(seed);
        var facts = history.OfType<UnitFact>().ToArray();
        new Random(seed).Shuffle(facts);
        var next = 0;
        var open = history.Where(happened => happened is not RunEnded).ToArray();
        var shuffled = open.Select(happened => happened is UnitFact ? facts[next++] : happened);

        Described(RunState.Fold(shuffled)).ShouldBe(Described(RunState.Fold(open)));
    });

    [Fact]
    public void Repeated_facts_change_nothing() => ForAnyHistory(seed =>
    {
        var state = RunState.Empty;
        foreach (var happened in History.Of(seed))
        {
            state = state.Apply(happened);
            ReferenceEquals(state.Apply(happened), state).ShouldBeTrue();
        }
    });

    [Fact]
    public void Nothing_counts_after_the_end() => ForAnyHistory(seed =>
    {
        var history = History.Of(seed);
        var state = RunState.Fold(history);

        ReferenceEquals(history.Aggregate(state, (ended, happened) => ended.Apply(happened)), state).ShouldBeTrue();
        RunDecisions.Decide(state).ShouldBeEmpty();
        RunDecisions.Outstanding(state).ShouldBeEmpty();
        RunDecisions.Conclude(state, Now).ShouldBeNull();
    });

    [Fact]
    public void A_unit_gets_all_outputs_of_the_stages_it_names_and_never_starts_before() => ForAnyHistory(seed =>
    {
        var state = RunState.Empty;
        foreach (var happened in History.Of(seed))
        {
            state = state.Apply(happened);
            foreach (var command in RunDecisions.Decide(state).OfType<RunUnit>().Where(command => command.Stage != "s0"))
            {
                var before = state.Stages["s" + (int.Parse(command.Stage[1..], System.Globalization.CultureInfo.InvariantCulture) - 1)];
                before.IsComplete.ShouldBeTrue();
                command.Inputs.Keys.ShouldBe(before.Plan.Units.Select(unit => "all/" + unit.Name));
            }
        }
    });

    // 200 seeds, other ones each time; a failure names its seed.
    private static void ForAnyHistory(Action<int> holds) => Prop.ForAll(holds).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    private static string Name(RunUnit unit) => unit.Stage + "/" + unit.Unit;

    private static string Described(RunState state) => string.Join('\n', state.StagesInOrder().Select(stage =>
        $"{stage.Plan.Stage}: waiting {string.Join(',', stage.Waiting.Order())}; out {string.Join(',', stage.Outstanding.Order())}; "
        + string.Join(',', stage.Facts.OrderBy(fact => fact.Key).Select(fact => $"{fact.Value.GetType().Name}@{fact.Value.At:O}/{fact.Value.Worker}"))))
        + state.Status + state.FirstFailure()?.At;
}
