using ClipSae.Pages;

namespace ClipSae.Reporting.Charts;

/// <summary>Metrics with intervals on a line from 0 to 1, as a table cell that shrinks with the page.</summary>
internal static class IntervalTrack
{
    /// <param name="Class">base, tuned or control: how the mark looks.</param>
    public sealed record Mark(string Class, double? Value, double? Low = null, double? High = null);

    public static Html Render(params IEnumerable<Mark> marks) =>
        Html.Of(
            $"""
            <div class="track" aria-hidden="true">{marks.Where(mark => mark.Value is not null).Select(Render)}</div>
            """
        );

    /// <summary>The heading of a column of tracks, with the ends of its scale.</summary>
    public static Html Heading(string title, int rows = 1) =>
        Html.Of(
            $"<th class=\"plot\" rowspan=\"{rows}\"><span class=\"scale\"><span>0</span><span>{title}</span><span>100 %</span></span></th>"
        );

    private static Html Render(Mark mark)
    {
        var span =
            mark is { Low: { } low, High: { } high } && high > low
                ? Html.Of($"<i class=\"span {mark.Class}\" style=\"left:{Clamp(low):0.##}%;width:{Clamp(high) - Clamp(low):0.##}%\"></i>")
                : Html.Empty;
        return Html.Of($"{span}<b class=\"dot {mark.Class}\" style=\"left:{Clamp(mark.Value!.Value):0.##}%\"></b>");
    }

    private static double Clamp(double share) => 100 * Math.Clamp(share, 0, 1);
}
