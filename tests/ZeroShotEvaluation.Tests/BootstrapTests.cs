using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Statistics;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class BootstrapTests
{
    // The bootstrap of a share is a binomial: 70 of 100 gives a standard error of sqrt(.7 · .3 / 100) = .0458, so .70 ± 1.96 · .0458.
    [Fact]
    public void The_interval_of_a_share_is_that_of_the_binomial()
    {
        var interval = Bootstrap.Intervals([Share(70, 100)], 4000, 1)[0];

        interval.Value.ShouldBe(0.70, 1e-9);
        interval.Low.ShouldBe(0.61, 0.012);
        interval.High.ShouldBe(0.79, 0.012);
    }

    [Fact]
    public void Equal_seeds_give_equal_intervals_and_others_do_not()
    {
        float[][] columns = [Share(70, 100), [.. Enumerable.Range(0, 100).Select(i => i / 7f)]];

        Bootstrap.Intervals(columns, 1000, 1).ShouldBe(Bootstrap.Intervals(columns, 1000, 1));
        Bootstrap.Intervals(columns, 1000, 1)[1].ShouldNotBe(Bootstrap.Intervals(columns, 1000, 2)[1]);
    }

    // Two models right on the same images differ by nothing in every resample, however uncertain each one is.
    [Fact]
    public void Differences_are_paired()
    {
        var right = Share(50, 100);
        var gain = Bootstrap.Intervals(
            [
                [.. right.Zip(right, (a, b) => a - b)],
            ],
            1000,
            1
        )[0];

        gain.ShouldBe(new Interval(0, 0, 0));
    }

    [Fact]
    public void A_figure_without_variation_has_an_interval_without_width() =>
        Bootstrap.Intervals([Share(37, 37)], 1000, 1)[0].ShouldBe(new Interval(1, 1, 1));

    // 40 simulated experiments, each with its own sample of a share of .3: about 95 % of the intervals must hold it (binomial tail: 33 or
    // fewer has probability < 1e-3).
    [Fact]
    public void Intervals_cover_the_truth_as_often_as_they_promise()
    {
        var covered = Enumerable
            .Range(0, 40)
            .Count(experiment =>
            {
                var random = new Datasets.SeededRandom(experiment, "experiment");
                float[] sample = [.. Enumerable.Range(0, 300).Select(_ => random.NextDouble() < 0.3 ? 1f : 0f)];
                var interval = Bootstrap.Intervals([sample], 1000, experiment)[0];
                return interval.Low <= 0.3 && 0.3 <= interval.High;
            });

        covered.ShouldBeGreaterThan(33);
    }

    private static float[] Share(int ones, int all) => [.. Enumerable.Range(0, all).Select(i => i < ones ? 1f : 0f)];
}
