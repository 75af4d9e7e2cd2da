using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Statistics;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class SeedIntervalTests
{
    // Mean .8, standard deviation .1, t(2) = 4.303: .8 ± 4.303 · .1 / √3.
    [Fact]
    public void Several_seeds_give_students_interval()
    {
        var interval = SeedInterval.Of([new(0.7, 0, 1), new(0.8, 0, 1), new(0.9, 0, 1)]);

        interval.Value.ShouldBe(0.8, 1e-12);
        interval.Low.ShouldBe(0.8 - 0.24843, 1e-4);
        interval.High.ShouldBe(0.8 + 0.24843, 1e-4);
    }

    [Fact]
    public void One_seed_keeps_the_interval_over_images() => SeedInterval.Of([new(0.7, 0.6, 0.8)]).ShouldBe(new Interval(0.7, 0.6, 0.8));
}
