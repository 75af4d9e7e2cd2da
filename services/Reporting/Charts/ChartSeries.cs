namespace ClipSae.Reporting.Charts;

/// <summary>A line of a chart.</summary>
/// <param name="Name">Shown in the legend.</param>
/// <param name="Points">Points in order of x.</param>
/// <param name="Colour">Index into the palette of report.css (<c>.c0</c> …).</param>
/// <param name="Dashed">Random controls are dashed.</param>
/// <param name="Mark">A point to mark, such as the best step.</param>
internal sealed record ChartSeries(
    string Name,
    IReadOnlyList<(double X, double Y)> Points,
    int Colour,
    bool Dashed = false,
    (double X, double Y)? Mark = null
);
