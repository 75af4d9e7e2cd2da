using System.Globalization;
using System.Xml.Linq;
using ClipSae.Reporting.Charts;

namespace ClipSae.Reporting.Tests;

public sealed class FrontierChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static readonly FrontierChart.Point[] Points = [new(0, 0.98, 0), new(0.5, 0.97, 0.6), new(1, 0.9, 0.9)];

    [Fact]
    public void Each_model_is_a_dot_further_right_where_clean_accuracy_is_higher_and_further_up_where_attacked_is()
    {
        var drawing = Draw(new FrontierChart([new("validation", Points)], 0.5, 0.96));

        var dots = drawing
            .Descendants(Svg + "circle")
            .Where(circle => Class(circle).StartsWith("dot", StringComparison.Ordinal))
            .OrderBy(dot => Number(dot, "cx"))
            .ToArray();
        dots.Select(dot => dot.Value)
            .ShouldBe([
                "α 1: clean 90.0\u202f%, attacked 90.0\u202f%",
                "α 0.5: clean 97.0\u202f%, attacked 60.0\u202f%",
                "α 0: clean 98.0\u202f%, attacked 0.0\u202f%",
            ]);
        dots.Select(dot => Number(dot, "cy")).ShouldBeInOrder();
        // 0.97 lies 7/8 of the way from 0.90 to 0.98.
        ((Number(dots[1], "cx") - Number(dots[0], "cx")) / (Number(dots[2], "cx") - Number(dots[0], "cx"))).ShouldBe(7 / 8d, 0.002);
    }

    [Fact]
    public void The_chosen_model_has_a_ring_and_the_floor_a_line()
    {
        var drawing = Draw(new FrontierChart([new("validation", Points)], 0.5, 0.97));

        var ring = drawing.Descendants(Svg + "circle").Single(circle => Class(circle) == "ring");
        Number(ring, "cx").ShouldBe(Number(drawing.Descendants(Svg + "line").Last(line => Class(line) == "floor"), "x1"));
        drawing.Descendants(Svg + "text").ShouldContain(text => text.Value == "0.5 (chosen)");
    }

    [Fact]
    public void It_needs_nothing_else_and_names_cannot_break_it()
    {
        var text = new FrontierChart([new("<a href='x'>&", Points), new("evaluation", Points)], 1, 0.9).ToSvg();

        var drawing = XDocument.Parse(text);
        drawing.Descendants(Svg + "text").ShouldContain(legend => legend.Value == "<a href='x'>&");
        drawing
            .Descendants()
            .Attributes()
            .ShouldNotContain(attribute => attribute.Name.LocalName == "href" || attribute.Name.LocalName == "src");
        text.ShouldNotContain("url(");
        text.ShouldNotContain("NaN");
    }

    [Fact]
    public void Models_that_all_agree_still_have_axes()
    {
        var text = new FrontierChart([new("validation", [new(0, 1, 0), new(1, 1, 0)])], 0, 0.99).ToSvg();

        text.ShouldNotContain("NaN");
        text.ShouldNotContain("∞");
    }

    private static XDocument Draw(FrontierChart chart) => XDocument.Parse(chart.ToSvg());

    private static string Class(XElement element) => element.Attribute("class")?.Value ?? "";

    private static double Number(XElement element, string attribute) =>
        double.Parse(element.Attribute(attribute)!.Value, CultureInfo.InvariantCulture);
}
