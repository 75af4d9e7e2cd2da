using ClipSae.AttackCuration.Salience;
using ClipSae.Datasets;

namespace ClipSae.AttackCuration.Tests;

public sealed class SalienceStatisticsTests
{
    [Fact]
    public void Difference_is_standardised_by_its_own_spread()
    {
        // Differences 1, 2, 3, 2: mean 2, variance (1 + 0 + 1 + 0)/3.
        SalienceStatistics.StandardizedDifference([2, 4, 6, 3], [1, 2, 3, 1]).ShouldBe(2 / Math.Sqrt(2 / 3.0), 1e-9);
        SalienceStatistics.StandardizedDifference([1, 2, 3, 1], [2, 4, 6, 3]).ShouldBe(-2 / Math.Sqrt(2 / 3.0), 1e-9);
    }

    [Fact]
    public void Without_any_difference_it_is_zero_and_with_a_constant_one_it_has_no_bound()
    {
        SalienceStatistics.StandardizedDifference([1, 2, 3], [1, 2, 3]).ShouldBe(0);
        SalienceStatistics.StandardizedDifference([2, 3, 4], [1, 2, 3]).ShouldBe(double.PositiveInfinity);
        SalienceStatistics.StandardizedDifference([1, 2, 3], [2, 3, 4]).ShouldBe(double.NegativeInfinity);
    }

    [Theory]
    [InlineData(new[] { 3f, 4 }, new[] { 1f, 2 }, 1)]
    [InlineData(new[] { 1f, 2 }, new[] { 3f, 4 }, 0)]
    [InlineData(new[] { 0f, 0, 0 }, new[] { 0f, 0 }, 0.5)]
    [InlineData(new[] { 0f, 1 }, new[] { 0f, 1 }, 0.5)]
    // 2 > 0, 2 > 1, 2 = 2, 0 = 0, 0 < 1, 0 < 2.
    [InlineData(new[] { 2f, 0 }, new[] { 0f, 1, 2 }, 3 / 6.0)]
    public void Ties_count_half(float[] withText, float[] without, double auroc) =>
        SalienceStatistics.Auroc(withText, without).ShouldBe(auroc, 1e-12);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Auroc_is_the_share_of_ordered_pairs(int seed)
    {
        var random = new SeededRandom(seed, "auroc");
        // Few different values, as of a sparse latent that is mostly off.
        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(3) == 0 ? random.Next(4) : 0f)];
        var (with, without) = (Draw(41), Draw(57));
        var naive = with.Average(a =>
            without.Average(b =>
                a > b ? 1
                : a == b ? 0.5
                : 0
            )
        );

        SalienceStatistics.Auroc(with, without).ShouldBe(naive, 1e-12);
    }
}
