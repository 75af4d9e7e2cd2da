using ClipSae.Pages;

namespace ClipSae.Reporting.Tests;

public sealed class ParetoChartTests
{
    private static readonly ParetoChart Chart = new(
        [
            new("base", "", 0.95, 0.10, 1, false),
            new("none.s0", "a", 0.93, 0.80, 0.9, false),
            new("penalise.s0", "b", 0.90, 0.85, 0.3, false),
            new("penalise-random.s0", "c", 0.92, 0.79, 0.5, true),
            new("distil.s0", "d", 0.93, 0.80, null, false),
        ],
        "the worst family"
    );

    [Fact]
    public void The_line_joins_the_models_that_no_other_beats_on_both() =>
        // Two equal ones are both on it.
        Chart.Frontier.Select(point => point.Name).ShouldBe(["penalise.s0", "none.s0", "distil.s0", "base"]);

    [Theory]
    [InlineData(0.0, "r0")]
    [InlineData(0.19, "r0")]
    [InlineData(0.2, "r1")]
    [InlineData(0.99, "r4")]
    [InlineData(1.0, "r4")]
    [InlineData(null, "rn")]
    public void The_colour_tells_how_many_words_are_read(double? reading, string css) => ParetoChart.Shade(reading).ShouldBe(css);

    [Fact]
    public void Every_model_has_a_mark_that_tells_its_figures_and_a_control_is_hollow()
    {
        var svg = Chart.Render().Text;

        svg.ShouldContain("<title>penalise.s0: clean 90.0&#x202F;%, under attack 85.0&#x202F;%, words read 30.0&#x202F;%</title>");
        svg.Split("<title>").Length.ShouldBe(6);
        svg.ShouldContain("<circle class=\"spot r2 hollow\"");
        svg.ShouldContain("<rect class=\"spot r4\"");
        svg.ShouldContain(">base</text>");
        svg.ShouldContain("<b>c</b> penalise-random</li>");
    }

    [Fact]
    public void Models_that_are_all_alike_still_have_axes()
    {
        var same = new ParetoChart([new("base", "", 1, 0, null, false), new("none.s0", "a", 1, 0, null, false)], "the worst family")
            .Render()
            .Text;

        same.ShouldNotContain("NaN");
        same.ShouldNotContain("∞");
    }
}
