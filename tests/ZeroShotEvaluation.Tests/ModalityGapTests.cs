using ClipSae.ZeroShotEvaluation.Statistics;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class ModalityGapTests
{
    // Differences (1, 0) and (0, 1): their mean is (.5, .5), of length √.5.
    [Fact]
    public void The_gap_is_the_length_of_the_mean_difference()
    {
        using var differences = torch.tensor([1f, 0, 0, 1], [2, 2]);

        ModalityGap.Of(differences, 1000, 1).Value.ShouldBe(Math.Sqrt(0.5), 1e-6);
    }

    // Every image apart from its text by the same vector: no draw changes the gap.
    [Fact]
    public void A_constant_difference_has_no_uncertainty()
    {
        using var differences = torch.tensor([.. Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? 0.6f : 0.8f)], [100, 2]);

        var gap = ModalityGap.Of(differences, 1000, 1);

        gap.Value.ShouldBe(1, 1e-6);
        gap.Low.ShouldBe(1, 1e-5);
        gap.High.ShouldBe(1, 1e-5);
    }

    // One dimension: the gap is a plain mean, so its interval is as wide as the bootstrap's of means over the same draws.
    // The bias that is taken off moves both ends alike.
    [Fact]
    public void Its_draws_are_those_of_the_bootstrap()
    {
        float[] values = [.. Enumerable.Range(0, 50).Select(i => 1 + i / 50f)];
        using var differences = torch.tensor(values, [50, 1]);

        var gap = ModalityGap.Of(differences, 1000, 3);
        var mean = Bootstrap.Intervals([values], 1000, 3)[0];

        (gap.High - gap.Low).ShouldBe(mean.High - mean.Low, 1e-5);
    }
}
