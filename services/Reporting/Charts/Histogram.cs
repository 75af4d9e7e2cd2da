using System.Globalization;
using ClipSae.Pages;

namespace ClipSae.Reporting.Charts;

/// <summary>How many values fall where, on a logarithmic axis up to 1.</summary>
internal static class Histogram
{
    private const int Bins = 30;
    private const int MinCount = 10;
    private const double Width = 370;
    private const double Height = 150;
    private const double Floor = 126;
    private const double Margin = 14;

    /// <param name="values">Shares above 0; nothing is drawn for fewer than ten.</param>
    public static Html Render(string title, IReadOnlyList<double> values)
    {
        if (values.Count < MinCount)
        {
            return Html.Empty;
        }

        double[] logs = [.. values.Select(Math.Log10)];
        var low = Math.Min(-1, Math.Floor(logs.Min()));
        var counts = new int[Bins];
        foreach (var log in logs)
        {
            counts[Math.Clamp((int)((log - low) / -low * Bins), 0, Bins - 1)]++;
        }

        var wide = (Width - 2 * Margin) / Bins;
        var bars = counts.Select((count, bin) => Bar(Margin + bin * wide, wide - 1.5, (Floor - 8) * count / counts.Max()));
        var ticks = Html.Each(Enumerable.Range((int)low, (int)-low + 1), power =>
            $"<text class=\"tick\" x=\"{Margin + (power - low) / -low * (Width - 2 * Margin):0.#}\" y=\"{Height - 6}\" "
            + $"text-anchor=\"{(power == low ? "start" : power == 0 ? "end" : "middle")}\">"
            + $"{Math.Pow(10, power).ToString("0.######", CultureInfo.InvariantCulture)}</text>"
        );
        return Html.Of(
            $"""
            <figure class="chart"><figcaption>{title} <small>share of rows, {values.Count} features</small></figcaption>
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}">{bars}<line class="axis" x1="{Margin}" x2="{Width
                - Margin}" y1="{Floor}" y2="{Floor}"/>{ticks}</svg></figure>
            """
        );
    }

    private static Html Bar(double left, double wide, double tall) =>
        Html.Of($"<rect class=\"hist\" x=\"{left:0.#}\" y=\"{Floor - tall:0.#}\" width=\"{wide:0.#}\" height=\"{tall:0.#}\"/>");
}
