namespace ClipSae.WeightConversion.Tests;

public sealed class AlphaRuleTests
{
    // Of 1,000 images each.
    private static readonly FrontierPoint[] Sweep =
    [
        new(0, 0.984, 0.002),
        new(0.25, 0.986, 0.310),
        new(0.5, 0.974, 0.720),
        new(0.75, 0.973, 0.910),
        new(1, 0.930, 0.940),
    ];

    [Theory]
    [InlineData(0.05, 0.75)] // 0.934 or more: all but the tuned
    [InlineData(0.054, 1)] // 0.930 exactly
    [InlineData(0.01, 0.5)] // 0.974 exactly, which a rounding must not spoil: 0.984 − 0.01 is more than 0.974 in binary
    [InlineData(0.0099, 0.25)]
    [InlineData(0, 0.25)]
    public void The_most_attacked_accuracy_that_keeps_the_clean_one_is_chosen(double tolerance, double alpha) =>
        new AlphaRule(tolerance).Choose(Sweep).Alpha.ShouldBe(alpha);

    [Fact]
    public void Where_nothing_keeps_the_clean_accuracy_it_is_the_base() =>
        new AlphaRule(0).Choose([new(0, 0.9, 0.1), new(0.5, 0.899, 0.8), new(1, 0.7, 0.9)]).Alpha.ShouldBe(0);

    [Fact]
    public void Of_equals_the_one_nearest_to_the_base_is_chosen() =>
        new AlphaRule().Choose([new(1, 0.9, 0.8), new(0.6, 0.9, 0.8), new(0, 0.9, 0.1), new(0.7, 0.9, 0.8)]).Alpha.ShouldBe(0.6);
}
