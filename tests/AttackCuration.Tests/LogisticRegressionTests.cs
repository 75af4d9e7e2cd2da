using ClipSae.AttackCuration.Hygiene;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

public sealed class LogisticRegressionTests
{
    [Fact]
    public void Log_odds_are_those_of_two_normal_distributions_of_one_spread_however_rare_one_of_them_is()
    {
        // At distance 2 and spread 1 the log-odds under equal priors are 2x − 2: here 400 cases about 2 against 4,000 about 0.
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var inputs = cat([randn(400, 1, generator: generator) + 2, randn(4000, 1, generator: generator)]);
        using var fitted = LogisticRegression.Fit(inputs, [.. Enumerable.Range(0, 4400).Select(i => i < 400)]);

        var odds = fitted.LogOdds(tensor(new[] { 0f, 1f, 2f }, [3, 1])).data<float>().ToArray();
        odds[0].ShouldBe(-2, 0.35);
        odds[1].ShouldBe(0, 0.2);
        odds[2].ShouldBe(2, 0.35);
    }

    [Fact]
    public void Classes_that_can_be_told_apart_completely_give_finite_odds_and_an_input_that_never_changes_none()
    {
        using var fitted = LogisticRegression.Fit(tensor(new[] { -1f, 5, -2, 5, 1, 5, 2, 5 }, [4, 2]), [false, false, true, true]);

        var odds = fitted.LogOdds(tensor(new[] { -1f, 5, 1, 5, 1, 5 }, [3, 2])).data<float>().ToArray();
        odds.ShouldAllBe(value => float.IsFinite(value));
        odds[0].ShouldBeLessThan(-1);
        odds[1].ShouldBeGreaterThan(1);
    }

    [Fact]
    public void An_input_that_speaks_against_the_positive_class_does_not_count_where_none_may()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var positive = Enumerable.Range(0, 400).Select(i => i < 200).ToArray();
        var towards = cat([randn(200, 1, generator: generator) + 2, randn(200, 1, generator: generator)]);
        var against = cat([randn(200, 1, generator: generator) - 2, randn(200, 1, generator: generator)]);
        var asked = tensor(new[] { 1f, -3, 1, 3 }, [2, 2]);

        using var free = LogisticRegression.Fit(cat([towards, against], 1), positive);
        using var monotone = LogisticRegression.FitMonotone(cat([towards, against], 1), positive);
        using var without = LogisticRegression.Fit(towards, positive);

        var (freely, monotonely) = (free.LogOdds(asked).data<float>().ToArray(), monotone.LogOdds(asked).data<float>().ToArray());
        freely[0].ShouldBeGreaterThan(freely[1] + 1);
        monotonely[0].ShouldBe(monotonely[1], 1e-5f);
        monotonely[0].ShouldBe(without.LogOdds(asked.narrow(1, 0, 1)).data<float>()[0], 1e-4f);
    }

    [Fact]
    public void Where_no_input_speaks_against_the_positive_class_nothing_changes()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var positive = Enumerable.Range(0, 400).Select(i => i < 200).ToArray();
        var inputs = cat([randn(200, 2, generator: generator) + 1, randn(200, 2, generator: generator)]);

        using var free = LogisticRegression.Fit(inputs, positive);
        using var monotone = LogisticRegression.FitMonotone(inputs, positive);

        monotone.LogOdds(inputs).data<float>().ToArray().ShouldBe(free.LogOdds(inputs).data<float>().ToArray());
    }

    [Fact]
    public void One_class_alone_is_refused() =>
        Should.Throw<ArgumentException>(() => LogisticRegression.Fit(ones(3, 1), [true, true, true])).Message.ShouldContain("3 of 3");
}
