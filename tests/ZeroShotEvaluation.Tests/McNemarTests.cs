using ClipSae.ZeroShotEvaluation.Statistics;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class McNemarTests
{
    // scipy.stats.binomtest(k, n, 0.5).pvalue for k of n discordant pairs.
    [Theory]
    [InlineData(0, 0, 1.0)]
    [InlineData(1, 0, 1.0)]
    [InlineData(5, 5, 1.0)]
    [InlineData(0, 6, 0.03125)]
    [InlineData(2, 10, 0.038574218750)]
    [InlineData(12, 4, 0.076812744140625)]
    public void The_probability_is_the_exact_binomial_one(int baseOnly, int tunedOnly, double expected)
    {
        var pairs = Enumerable
            .Repeat((true, false), baseOnly)
            .Concat(Enumerable.Repeat((false, true), tunedOnly))
            .Append((true, true))
            .Append((false, false))
            .ToArray();

        var test = McNemarTest.Compare([.. pairs.Select(pair => pair.Item1)], [.. pairs.Select(pair => pair.Item2)]);

        test.BaseOnly.ShouldBe(baseOnly);
        test.TunedOnly.ShouldBe(tunedOnly);
        test.PValue.ShouldBe(expected, 1e-9);
    }

    [Fact]
    public void Many_pairs_do_not_underflow()
    {
        var right = Enumerable.Repeat(true, 30_000).ToArray();
        var other = Enumerable.Range(0, 30_000).Select(i => i % 2 == 0).ToArray();

        McNemarTest.Compare(right, other).PValue.ShouldBe(0);
        McNemarTest.Compare(other, [.. other.Select(value => !value)]).PValue.ShouldBe(1);
    }
}
