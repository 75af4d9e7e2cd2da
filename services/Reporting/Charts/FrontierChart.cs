using System.Globalization;
using ClipSae.Pages;

namespace ClipSae.Reporting.Charts;

/// <summary>
/// Clean against attacked accuracy of the models between a base and a tuned one, as an SVG file that needs nothing else. Each line is one
/// group of sets, each dot one α; the chosen one has a ring.
/// </summary>
/// <param name="Lines">Lines by what they were measured on; the first is the one that α was chosen on.</param>
/// <param name="Chosen">The α that was chosen.</param>
/// <param name="Floor">Clean accuracy that the chosen model must have on the first line.</param>
public sealed record FrontierChart(IReadOnlyList<FrontierChart.Line> Lines, double Chosen, double Floor)
{
    private const double Width = 720;
    private const double Height = 480;
    private const double Left = 70;
    private const double Right = 24;
    private const double Top = 56;
    private const double Bottom = 58;

    private const double LegendRoom = 235;

    // Two labels nearer than this would be on one another.
    private const double LabelRoom = 26;

    private const string Style = """
        .page{fill:#fff}.grid{stroke:#e4e1dc}.tick,.axis,.label,.key{font:13px "Inter","Segoe UI",system-ui,sans-serif;fill:#5c6470}.title{font:600 15px "Inter","Segoe UI",system-ui,sans-serif;fill:#1d2127}
        .line{fill:none;stroke-width:2}.c0{stroke:#0a63a8}.c1{stroke:#b8500a;stroke-dasharray:5 4}.dot.c0{fill:#0a63a8}.dot.c1{fill:#b8500a;stroke-dasharray:none}.ring{fill:none;stroke:#1d2127;stroke-width:2}.floor{stroke:#8b8f96;stroke-dasharray:3 4}
        @media (prefers-color-scheme:dark){.page{fill:#14171b}.grid{stroke:#2f353d}.tick,.axis,.label,.key{fill:#9aa2ad}.title{fill:#e9e7e2}.c0{stroke:#62b0f0}.c1{stroke:#f0924c}.dot.c0{fill:#62b0f0}.dot.c1{fill:#f0924c}.ring{stroke:#e9e7e2}}
        """;

    /// <summary>A line of the chart.</summary>
    /// <param name="Name">Shown in the legend.</param>
    /// <param name="Points">Points in order of α.</param>
    public sealed record Line(string Name, IReadOnlyList<Point> Points);

    /// <summary>A model.</summary>
    /// <param name="Alpha">Share of the tuned model.</param>
    /// <param name="Clean">Clean accuracy, a fraction: across.</param>
    /// <param name="Attacked">Attacked accuracy, a fraction: up.</param>
    public sealed record Point(double Alpha, double Clean, double Attacked);

    /// <summary>The text of the SVG file.</summary>
    public string ToSvg()
    {
        var points = Lines.SelectMany(line => line.Points).ToArray();
        var across = Ticks([.. points.Select(point => point.Clean), Floor]);
        var up = Ticks([.. points.Select(point => point.Attacked)]);
        double X(double clean) => Left + (Width - Left - Right) * (clean - across[0]) / (across[^1] - across[0]);
        double Y(double attacked) => Height - Bottom - (Height - Top - Bottom) * (attacked - up[0]) / (up[^1] - up[0]);

        return Html.Of(
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" width="{Width}" height="{Height}" role="img" aria-label="Clean against attacked accuracy by the share of the tuned model">
            <style>{new Html(Style)}</style><rect class="page" width="{Width}" height="{Height}"/>
            <text class="title" x="{Left}" y="24">Between base (α = 0) and tuned (α = 1)</text>
            {Lines.Select(
                (line, place) =>
                    Html.Of(
                        $"<line class=\"line c{place}\" x1=\"{Left + place * LegendRoom}\" x2=\"{Left + 24 + place * LegendRoom}\" y1=\"40\" y2=\"40\"/><text class=\"key\" x=\"{Left + 30 + place * LegendRoom}\" y=\"44\">{line.Name}</text>"
                    )
            )}
            <line class="floor" x1="{Left + Lines.Count * LegendRoom}" x2="{Left
                + 24
                + Lines.Count * LegendRoom}" y1="40" y2="40"/><text class="key" x="{Left
                + 30
                + Lines.Count * LegendRoom}" y="44">least clean accuracy</text>
            {across.Select(tick =>
                Html.Of(
                    $"<line class=\"grid\" x1=\"{X(tick):0.#}\" x2=\"{X(tick):0.#}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/><text class=\"tick\" x=\"{X(tick):0.#}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{Percent(tick)}</text>"
                )
            )}
            {up.Select(tick =>
                Html.Of(
                    $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):0.#}\" y2=\"{Y(tick):0.#}\"/><text class=\"tick\" x=\"{Left - 8}\" y=\"{Y(tick) + 4:0.#}\" text-anchor=\"end\">{Percent(tick)}</text>"
                )
            )}
            <text class="axis" x="{(Left + Width - Right) / 2}" y="{Height - 14}" text-anchor="middle">clean accuracy</text>
            <text class="axis" transform="translate(18 {(Top + Height - Bottom)
                / 2}) rotate(-90)" text-anchor="middle">attacked accuracy</text>
            <line class="floor" x1="{X(Floor):0.#}" x2="{X(Floor):0.#}" y1="{Top}" y2="{Height - Bottom}"/>
            {Lines.Select((line, place) => Draw(line, place, X, Y))}
            </svg>

            """
        ).Text;
    }

    private Html Draw(Line line, int place, Func<double, double> x, Func<double, double> y)
    {
        var path = string.Join(
            'L',
            line.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{x(point.Clean):0.#} {y(point.Attacked):0.#}"))
        );
        var labelled = new List<(double X, double Y)>();
        return Html.Of(
            $"""
            <path class="line c{place}" d="M{path}"/>
            {line.Points.OrderByDescending(point => point.Alpha == Chosen).Select(point =>
                Mark(point, place, x(point.Clean), y(point.Attacked), labelled)
            )}
            """
        );
    }

    private Html Mark(Point point, int place, double x, double y, List<(double X, double Y)> labelled)
    {
        var isChosen = point.Alpha == Chosen;
        var ring = isChosen ? Html.Of($"<circle class=\"ring\" cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"9\"/>") : Html.Empty;
        var label = Html.Empty;
        if (labelled.TrueForAll(other => Math.Abs(other.X - x) > LabelRoom || Math.Abs(other.Y - y) > LabelRoom / 2))
        {
            labelled.Add((x, y));
            // To the left of the dot if there is no room on its right.
            var toLeft = x > Width - Right - (isChosen ? 110 : 40);
            label = Html.Of(
                $"<text class=\"label\" x=\"{(toLeft ? x - 13 : x + 13):0.#}\" y=\"{y + 4:0.#}\" "
                    + $"text-anchor=\"{(toLeft ? "end" : "start")}\">{point.Alpha:0.###}{(isChosen ? " (chosen)" : "")}</text>"
            );
        }

        return Html.Of(
            $"<circle class=\"dot c{place}\" cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"4\"><title>α {point.Alpha:0.###}: "
                + $"clean {Written.Percent(point.Clean)}, attacked {Written.Percent(point.Attacked)}</title></circle>{ring}{label}"
        );
    }

    // Where all models agree there is still an axis.
    private static IReadOnlyList<double> Ticks(double[] values)
    {
        var (low, high) = (values.Min(), values.Max());
        return AxisTicks.Linear(high > low ? low : Math.Max(0, low - 0.05), high > low ? high : Math.Max(0, low - 0.05) + 0.1, 5);
    }

    private static string Percent(double value) => (100 * value).ToString("0.##", CultureInfo.InvariantCulture) + "\u202f%";
}
