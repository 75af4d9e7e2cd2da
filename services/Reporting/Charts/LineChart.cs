using System.Globalization;
using System.Text;
using ClipSae.Pages;

namespace ClipSae.Reporting.Charts;

/// <summary>A small line chart as inline SVG. Colours come from the page's style sheet, so that it follows light and dark.</summary>
internal sealed record LineChart(string Title, IReadOnlyList<ChartSeries> Series)
{
    private const double Width = 370;
    private const double Height = 215;
    private const double Left = 48;
    private const double Right = 22;
    private const double Top = 10;
    private const double Bottom = 26;
    private const double Crowded = 0.7;

    // Letters at the lines' ends nearer than this would be on one another.
    private const double LetterRoom = 11;
    private const int MaxLetters = (int)((Height - Top - Bottom) / LetterRoom);

    public bool Logarithmic { get; init; }

    /// <summary>Whether values are fractions, from 0 to 1, written as percentages.</summary>
    public bool Share { get; init; }

    /// <summary>The chart with title and legend, or nothing where no series has two points.</summary>
    public Html Render()
    {
        ChartSeries[] drawn =
        [
            .. Series
                .Select(series =>
                    series with
                    {
                        Points = [.. series.Points.Where(point => double.IsFinite(point.Y) && (!Logarithmic || point.Y > 0))],
                    }
                )
                .Where(series => series.Points.Count > 1),
        ];
        if (drawn.Length == 0)
        {
            return Html.Empty;
        }

        var points = drawn.SelectMany(series => series.Points).ToArray();
        var across = AxisTicks.Linear(points.Min(point => point.X), points.Max(point => point.X), 5);
        var (low, high) = (points.Min(point => point.Y), points.Max(point => point.Y));
        if (Share)
        {
            // Shares start at 0, unless all of them crowd at the top.
            (low, high) = (low > Crowded ? Math.Floor(10 * low) / 10 : Math.Min(0, low), Math.Max(1, high));
        }

        var up = Logarithmic ? AxisTicks.Logarithmic(low, high) : AxisTicks.Linear(low, high > low ? high : low + 1, 4);
        double X(double x) => Left + (Width - Left - Right) * Place(x, across[0], across[^1]);
        double Y(double y) =>
            Height
            - Bottom
            - (Height - Top - Bottom)
                * (Logarithmic ? Place(Math.Log10(y), Math.Log10(up[0]), Math.Log10(up[^1])) : Place(y, up[0], up[^1]));

        return Html.Of(
            $"""
            <figure class="chart"><figcaption>{Title}</figcaption>
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{Title}: {Aloud(drawn)}">
            {up.Select(tick =>
                Html.Of(
                    $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):0.#}\" y2=\"{Y(tick):0.#}\"/><text class=\"tick\" x=\"{Left - 6}\" y=\"{Y(tick) + 4:0.#}\" text-anchor=\"end\">{Label(tick)}</text>"
                )
            )}
            {across.Select(tick =>
                Html.Of($"<text class=\"tick\" x=\"{X(tick):0.#}\" y=\"{Height - 8}\" text-anchor=\"middle\">{Written.Count(tick)}</text>")
            )}
            {drawn.Select(series => Line(series, X, Y))}{Ends(drawn, Y)}
            </svg>{Legend(drawn)}</figure>
            """
        );
    }

    private static Html Line(ChartSeries series, Func<double, double> x, Func<double, double> y)
    {
        var path = new StringBuilder();
        foreach (var point in Thin(series.Points))
        {
            path.Append(path.Length == 0 ? 'M' : 'L').Append(CultureInfo.InvariantCulture, $"{x(point.X):0.#} {y(point.Y):0.#}");
        }

        var mark = series.Mark is { } at
            ? Html.Of($"<circle class=\"mark c{series.Colour}\" cx=\"{x(at.X):0.#}\" cy=\"{y(at.Y):0.#}\" r=\"4\"/>")
            : Html.Empty;
        return Html.Of($"<path class=\"line c{series.Colour}{(series.Dashed ? " dashed" : "")}\" d=\"{path.ToString()}\"/>{mark}");
    }

    // More points than pixels only make the file larger.
    private static IEnumerable<(double X, double Y)> Thin(IReadOnlyList<(double X, double Y)> points)
    {
        var stride = Math.Max(1, points.Count / 300);
        return points.Where((_, index) => index % stride == 0 || index == points.Count - 1);
    }

    /// <summary>A letter at each line's end, as in the legend, so that lines are distinguished without their colours.</summary>
    private static IEnumerable<Html> Ends(ChartSeries[] drawn, Func<double, double> y)
    {
        if (!IsLettered(drawn))
        {
            yield break;
        }

        var lowest = Top;
        var left = drawn.Length;
        foreach (var (series, place) in drawn.Select((series, place) => (series, place)).OrderBy(line => y(line.series.Points[^1].Y)))
        {
            lowest = Math.Min(Math.Max(lowest, y(series.Points[^1].Y)), Height - Bottom - (--left * LetterRoom));
            yield return Html.Of(
                $"<text class=\"end c{series.Colour}\" x=\"{Width - Right + 7}\" y=\"{lowest + 4:0.#}\">{Letter(place)}</text>"
            );
            lowest += LetterRoom;
        }
    }

    private static bool IsLettered(ChartSeries[] drawn) => drawn.Length is > 1 and <= MaxLetters;

    private static string Letter(int place) => ((char)('a' + place)).ToString();

    /// <summary>Where each line ends.</summary>
    private string Aloud(ChartSeries[] drawn) =>
        string.Join(
            "; ",
            drawn.Select(series =>
                $"{series.Name} ends at {(Share ? Written.Percent(series.Points[^1].Y) : Written.Number(series.Points[^1].Y))}"
            )
        );

    private static Html Legend(ChartSeries[] series)
    {
        var lines = Html.Each(series, (line, place) =>
            $"<li><i class=\"key c{line.Colour}{(line.Dashed ? " dashed" : "")}\"></i>"
            + $"{(IsLettered(series) ? Html.Of($"<b>{Letter(place)}</b> ") : Html.Empty)}{line.Name}</li>"
        );
        return series.Length < 2 ? Html.Empty : Html.Of($"<ul class=\"legend\">{lines}</ul>");
    }

    private static double Place(double value, double low, double high) => high > low ? (value - low) / (high - low) : 0.5;

    private string Label(double value) =>
        Share ? (100 * value).ToString("0.#", CultureInfo.InvariantCulture) + "\u202f%"
        : value is 0 or (>= 0.0001 and <= 99_999) or (<= -0.0001 and >= -99_999) ? value.ToString("0.####", CultureInfo.InvariantCulture)
        : value.ToString("0e+0", CultureInfo.InvariantCulture);
}
