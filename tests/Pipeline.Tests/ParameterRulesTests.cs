using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Tests;

public class ParameterRulesTests
{
    [Fact]
    public void Values_at_the_ends_of_their_ranges_are_allowed() =>
        ParameterRules.Require(
            new Options
            {
                Count = 1,
                Share = 0.5,
                Limit = 7_000_000_000,
                Colour = Colour.DarkRed,
            },
            "paint"
        );

    [Fact]
    public void Numbers_in_bounds_that_are_written_whole_are_not_rounded() =>
        Broken(new Options { Share = 1.2 }).ShouldBe("paint.share: must be above 0 and at most 1, not 1.2");

    [Fact]
    public void A_bound_may_be_excluded() =>
        Broken(new Options { Share = 0 }).ShouldBe("paint.share: must be above 0 and at most 1, not 0");

    [Fact]
    public void What_is_not_a_number_is_in_no_range() => Broken(new Options { Share = double.NaN }).ShouldEndWith(", not NaN");

    [Fact]
    public void A_range_may_have_one_end() => Broken(new Options { Count = 0 }).ShouldBe("paint.count: must be at least 1, not 0");

    [Fact]
    public void Keys_and_values_are_those_of_the_JSON() =>
        Broken(new Options { Colour = Colour.Blue }).ShouldBe("paint.colour: must be white or darkRed, not blue");

    [Fact]
    public void A_record_within_is_checked_under_its_key() =>
        Broken(new Options { Within = new Inner { Depth = -1 } }).ShouldBe("paint.inner.depth: must be at least 0, not -1");

    private static string Broken(Options options) =>
        Should.Throw<UserErrorException>(() => ParameterRules.Require(options, "paint")).Message;

    private enum Colour
    {
        White,
        DarkRed,
        Blue,
    }

    private sealed record Options
    {
        [Range(1, double.PositiveInfinity)]
        public int Count { get; init; } = 1;

        [Range(0, 1, MinimumIsExclusive = true)]
        public double Share { get; init; } = 1;

        [Range(1, double.PositiveInfinity)]
        public long? Limit { get; init; }

        [AllowedValues(Colour.White, Colour.DarkRed)]
        public Colour Colour { get; init; }

        [JsonPropertyName("inner")]
        public Inner? Within { get; init; }
    }

    private sealed record Inner
    {
        [Range(0, double.PositiveInfinity)]
        public int Depth { get; init; }
    }
}
