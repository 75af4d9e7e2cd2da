using ClipSae.Pages;

namespace ClipSae.Reporting.Tests;

public sealed class HtmlTests
{
    [Fact]
    public void Values_are_escaped_and_markup_is_kept()
    {
        var bold = Html.Of($"<b>{"a < b & \"c\""}</b>");

        Html.Of($"<p title=\"{"x\"y"}\">{bold}{new[] { bold, bold }}</p>")
            .Text.ShouldBe(
                "<p title=\"x&quot;y\"><b>a &lt; b &amp; &quot;c&quot;</b><b>a &lt; b &amp; &quot;c&quot;</b>"
                    + "<b>a &lt; b &amp; &quot;c&quot;</b></p>"
            );
    }

    [Fact]
    public void Numbers_are_written_alike_on_every_machine() => Html.Of($"{1234.5:0.00}").Text.ShouldBe("1234.50");

    [Theory]
    [InlineData(0.9541, "95.4\u202f%")]
    [InlineData(null, "–")]
    [InlineData(double.NaN, "–")]
    public void Fractions_are_percentages(double? value, string expected) => Written.Percent(value).ShouldBe(expected);

    [Theory]
    [InlineData(0.031, "+3.1\u202fpt")]
    [InlineData(-0.5, "−50.0\u202fpt")]
    [InlineData(0.0, "0.0\u202fpt")]
    public void Differences_carry_their_sign(double value, string expected) => Written.Points(value).ShouldBe(expected);

    [Theory]
    [InlineData(0, 1, new[] { 0, 0.2, 0.4, 0.6, 0.8, 1 })]
    [InlineData(1, 120, new double[] { 0, 20, 40, 60, 80, 100, 120 })]
    public void Axis_marks_are_round_and_cover_the_values(double low, double high, double[] expected) =>
        AxisTicks.Linear(low, high, 5).ShouldBe(expected);
}
