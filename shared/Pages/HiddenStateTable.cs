using System.Globalization;
using ClipSae.Results.Evaluation;

namespace ClipSae.Pages;

/// <summary>How a text encoder's hidden states changed, as a table: an image generator takes them.</summary>
public static class HiddenStateTable
{
    /// <summary>Heading and body of the table.</summary>
    public static Html Rows(IEnumerable<TextStateChange> changes) =>
        Html.Of(
            $"""
            <tr><th>hidden state</th><th>tokens</th><th class="n">compared</th><th class="n">cosine, mean</th><th class="n">cosine, lowest</th><th class="n">norm, new / old</th></tr>
            {changes.Select(change =>
                Html.Of(
                    $"<tr><td>{change.State}</td><td>{change.Tokens}</td><td class=\"n\">{Written.Count(change.Count)}</td>"
                        + $"<td class=\"n\">{Metric(change.MeanCosine)}</td><td class=\"n\">{Metric(change.MinCosine)}</td>"
                        + $"<td class=\"n\">{Metric(change.MeanNormRatio)}</td></tr>"
                )
            )}
            """
        );

    private static string Metric(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
