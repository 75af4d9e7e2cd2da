using System.Globalization;

namespace ClipSae.Pages;

/// <summary>
/// Clean accuracy across, accuracy under attack up, one mark a model, as inline SVG; the line joins the models that no other beats on both.
/// A mark's colour says how many words without a picture its model still reads.
/// </summary>
/// <param name="Points">The models, the base first.</param>
/// <param name="Up">What the vertical axis measures.</param>
public sealed record ParetoChart(IReadOnlyList<ParetoChart.Point> Points, string Up)
{
    /// <summary>Steps of the colour of reading.</summary>
    public const int Shades = 5;

    private const double Width = 400;
    private const double Height = 300;
    private const double Left = 52;
    private const double Right = 24;
    private const double Top = 14;
    private const double Bottom = 42;

    // Letters nearer than this would be on one another.
    private const double LetterRoom = 11;

    /// <summary>A model.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Letter">Stands next to its mark, the same for all seeds of an arm; empty for the base, which is written out.</param>
    /// <param name="Clean">Accuracy without print, a fraction.</param>
    /// <param name="Attacked">Accuracy under attack, a fraction.</param>
    /// <param name="Reading">Accuracy on words without a picture; null where it was not evaluated.</param>
    /// <param name="IsControl">Whether it is a random control, drawn hollow.</param>
    public sealed record Point(string Name, string Letter, double Clean, double Attacked, double? Reading, bool IsControl)
    {
        /// <summary>What stands in the legend next to the letter.</summary>
        public string Legend { get; init; } = Name.Split(".s")[0];

        /// <summary>Whether another model is at least as good on both and better on one.</summary>
        public bool IsBeatenBy(Point other) =>
            other.Clean >= Clean && other.Attacked >= Attacked && (other.Clean > Clean || other.Attacked > Attacked);
    }

    /// <summary>The models that no other beats on both, by clean accuracy.</summary>
    public IReadOnlyList<Point> Frontier => [.. Points.Where(point => !Points.Any(point.IsBeatenBy)).OrderBy(point => point.Clean)];

    /// <summary>The style sheet's class for a share of words read.</summary>
    public static string Shade(double? reading) =>
        reading is { } share ? "r" + Math.Clamp((int)(Shades * share), 0, Shades - 1).ToString(CultureInfo.InvariantCulture) : "rn";

    public Html Render()
    {
        var (across, up) = (Ticks(Points.Select(point => point.Clean)), Ticks(Points.Select(point => point.Attacked)));
        double X(double clean) => Left + ((Width - Left - Right) * (clean - across[0]) / (across[^1] - across[0]));
        double Y(double attacked) => Height - Bottom - ((Height - Top - Bottom) * (attacked - up[0]) / (up[^1] - up[0]));
        var path = string.Join(
            'L',
            Frontier.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Clean):0.#} {Y(point.Attacked):0.#}"))
        );
        var lettered = new List<(double X, double Y)>();
        return Html.Of(
            $"""
            <figure class="chart pareto"><figcaption>Clean accuracy against {Up}</figcaption>
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="Clean accuracy against {Up}, {Points.Count} models; none is beaten on both by another: {string.Join(
                ", ",
                Frontier.Select(point => point.Name)
            )}">
            {across.Select(tick =>
                Html.Of(
                    $"<line class=\"grid\" x1=\"{X(tick):0.#}\" x2=\"{X(tick):0.#}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/><text class=\"tick\" x=\"{X(tick):0.#}\" y=\"{Height - Bottom + 15}\" text-anchor=\"middle\">{Written.Share(tick)}</text>"
                )
            )}
            {up.Select(tick =>
                Html.Of(
                    $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):0.#}\" y2=\"{Y(tick):0.#}\"/><text class=\"tick\" x=\"{Left - 6}\" y=\"{Y(tick) + 4:0.#}\" text-anchor=\"end\">{Written.Share(tick)}</text>"
                )
            )}
            <text class="tick" x="{(Left + Width - Right) / 2}" y="{Height - 8}" text-anchor="middle">clean accuracy →</text>
            <text class="tick" transform="translate(11 {(Top + Height - Bottom)
                / 2}) rotate(-90)" text-anchor="middle">under attack →</text>
            {(Frontier.Count > 1 ? Html.Of($"<path class=\"front\" d=\"M{path}\"/>") : Html.Empty)}
            {Points.Reverse().Select(point => Mark(point, X(point.Clean), Y(point.Attacked)))}{Points.Select(point =>
                Letter(point, X(point.Clean), Y(point.Attacked), lettered)
            )}
            </svg>{Legend()}</figure>
            """
        );
    }

    private static Html Mark(Point point, double x, double y)
    {
        var told = Html.Of(
            $"<title>{point.Name}: clean {Written.Percent(point.Clean)}, under attack {Written.Percent(point.Attacked)}, "
                + $"words read {Written.Percent(point.Reading)}</title>"
        );
        var css = Shade(point.Reading);
        return point.Letter.Length == 0
            ? Html.Of($"<rect class=\"spot {css}\" x=\"{x - 6:0.#}\" y=\"{y - 6:0.#}\" width=\"12\" height=\"12\">{told}</rect>")
            : Html.Of(
                $"<circle class=\"spot {css}{(point.IsControl ? " hollow" : "")}\" cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"5.5\">{told}</circle>"
            );
    }

    private static Html Letter(Point point, double x, double y, List<(double X, double Y)> lettered)
    {
        var isBase = point.Letter.Length == 0;
        (double X, double Y, string Anchor)[] places =
        [
            (x + 10, y + 4, "start"),
            (x - 10, y + 4, "end"),
            (x, y - 9, "middle"),
            (x, y + 16, "middle"),
        ];
        foreach (var at in places.Where(at => at.Anchor != "start" || at.X < Width - Right - (isBase ? 24 : 2)))
        {
            if (!lettered.Exists(other => Math.Abs(other.X - at.X) < LetterRoom && Math.Abs(other.Y - at.Y) < LetterRoom))
            {
                lettered.Add((at.X, at.Y));
                return Html.Of(
                    $"<text class=\"name\" x=\"{at.X:0.#}\" y=\"{at.Y:0.#}\" text-anchor=\"{at.Anchor}\">"
                        + $"{(isBase ? "base" : point.Letter)}</text>"
                );
            }
        }

        return Html.Empty;
    }

    private Html Legend()
    {
        var shades = Html.Each(Enumerable.Range(0, Shades), shade =>
            $"<li><i class=\"spot r{shade}\"></i>{100 * shade / Shades}–{100 * (shade + 1) / Shades} %</li>"
        );
        var reading = Points.All(point => point.Reading is null)
            ? Html.Empty
            : Html.Of($"<ul class=\"legend\"><li>words read:</li>{shades}</ul>");
        var arms = Html.Each(Points.Where(point => point.Letter.Length > 0).DistinctBy(point => point.Letter), arm =>
            $"<li><i class=\"spot{(arm.IsControl ? " hollow" : "")}\"></i><b>{arm.Letter}</b> {arm.Legend}</li>"
        );
        return Html.Of($"<ul class=\"legend\"><li><i class=\"spot square\"></i>base</li>{arms}</ul>{reading}");
    }

    // Where all models agree there is still an axis.
    private static IReadOnlyList<double> Ticks(IEnumerable<double> values)
    {
        var (low, high) = (values.Min(), values.Max());
        return AxisTicks.Linear(high - low > 0.02 ? low : Math.Max(0, low - 0.02), high - low > 0.02 ? high : Math.Min(1, high + 0.02), 5);
    }
}
