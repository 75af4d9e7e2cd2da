using System.Globalization;

namespace ClipSae.Pages;

/// <summary>How a text encoder's hidden states changed, as a table: an image generator takes them.</summary>
public static class HiddenStateTable
{
    /// <summary>Heading and body of the table.</summary>
    public static Html Rows(IEnumerable<Row> rows) =>
        Html.Of(
            $"""
            <tr><th>hidden state</th><th>tokens</th><th class="n">compared</th><th class="n">cosine, mean</th><th class="n">cosine, lowest</th><th class="n">norm, new / old</th></tr>
            {rows.Select(row =>
                Html.Of(
                    $"""
                    <tr><td>{row.State}</td><td>{row.Tokens}</td><td class="n">{Written.Count(row.Compared)}</td><td class="n">{Figure(
                        row.MeanCosine
                    )}</td><td class="n">{Figure(row.MinCosine)}</td><td class="n">{Figure(row.MeanNormRatio)}</td></tr>
                    """
                )
            )}
            """
        );

    private static string Figure(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>One state over tokens of one kind.</summary>
    /// <param name="State">Which state.</param>
    /// <param name="Tokens">Which tokens, in words.</param>
    /// <param name="Compared">Tokens compared.</param>
    /// <param name="MeanCosine">Mean cosine of new and old.</param>
    /// <param name="MinCosine">The smallest of them.</param>
    /// <param name="MeanNormRatio">Mean length of the new over the old.</param>
    public readonly record struct Row(string State, string Tokens, int Compared, double MeanCosine, double MinCosine, double MeanNormRatio);
}
