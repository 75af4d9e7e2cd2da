using ClipSae.Results.Evaluation;

namespace ClipSae.Pages;

/// <summary>How a metric with its interval stands in a table.</summary>
public static class IntervalCell
{
    /// <summary>A cell for a share that may be missing.</summary>
    public static Html Of(Interval? share)
    {
        var content = share is null
            ? Html.Of($"{Written.Missing}")
            : Text(Written.Percent(share.Value), Written.Range(share.Low, share.High));
        return Html.Of($"<td class=\"n \">{content}</td>");
    }

    /// <summary>The content of a cell for a difference of shares that may be missing.</summary>
    public static Html Difference(Interval? change) =>
        change is null ? Html.Of($"{Written.Missing}") : Text(Written.Points(change.Value), Written.SignedRange(change.Low, change.High));

    /// <summary>The content of a cell: a metric, its interval small below.</summary>
    public static Html Text(string metric, string interval) =>
        Html.Of($"<span class=\"v\">{metric}</span><span class=\"ci\">{interval}</span>");
}
