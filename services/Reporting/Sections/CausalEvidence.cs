using ClipSae.Pages;
using ClipSae.Reporting.Charts;
using ClipSae.Reporting.Data;
using ClipSae.Results.Curation;

namespace ClipSae.Reporting.Sections;

/// <summary>What ablating the text-salient features does, next to as many random ones.</summary>
internal static class CausalEvidence
{
    // Two pictures of a hundred: less is what any features do.
    private const double Notable = 0.02;

    public static Section? Render(ReportData data)
    {
        if (data.Salient is not { Layers: { Count: > 0 } rows, Pairs: var pairs })
        {
            return null;
        }

        var table = Html.Of(
            $"""
            <table class="causal"><thead><tr><th rowspan="2">Hook point</th><th rowspan="2" class="n">Share</th><th rowspan="2" class="n">Features</th><th colspan="3" class="over">Accuracy under attack</th><th colspan="3" class="over">Attack success rate</th><th colspan="2" class="over">Clean, change</th>{IntervalTrack.Heading(
                "Attack success rate",
                rows: 2
            )}</tr>
            <tr><th class="n">before</th><th class="n">salient ablated</th><th class="n">random ablated</th><th class="n">before</th><th class="n">salient ablated</th><th class="n">random ablated</th><th class="n">salient ablated</th><th class="n">random ablated</th></tr></thead>
            <tbody>{rows.Select(Row)}</tbody></table>
            """
        );
        return new Section(
            "causal",
            "Do these features make the model read?",
            Html.Of(
                $"Features that fire for words and not for unreadable strokes are ablated in the base; nothing is trained. "
                    + $"They were chosen on {Written.Count(pairs)} pictures, each clean and with a word on it; "
                    + $"the accuracies here are on other pictures. If they carry the reading, fewer attacks succeed, "
                    + $"while as many random features of equal activity should change little. <span class=\"legend-inline\">"
                    + $"<b class=\"dot base\"></b> untouched <b class=\"dot tuned\"></b> salient ablated <b class=\"dot control\">"
                    + $"</b> random ablated, lowest to highest draw</span>"
            ),
            Html.Of($"{Effect(data.Salient)}{Html.Wide("Features ablated", table)}")
        );
    }

    /// <summary>Whether switching off the features that are used helped, more than random ones did.</summary>
    internal static bool? Helped(SalientFindings? salient) =>
        salient?.Layers.FirstOrDefault(row => row.Chosen) is { } row ? Helps(row) : null;

    // Fooled less often than before, and than with random features switched off.
    private static bool Helps(AblatedLayer row) =>
        row.Ablation.AttackSuccess < row.Before.AttackSuccess - Notable
        && !(Mean(row, draw => draw.AttackSuccess) <= row.Ablation.AttackSuccess);

    private static double? Mean(AblatedLayer row, Func<AttackAccuracy, double> metric) =>
        row.Random.Count > 0 ? row.Random.Average(metric) : null;

    private static Html Effect(SalientFindings salient)
    {
        if (salient.Layers.FirstOrDefault(row => row.Chosen) is not { } row || Helps(row))
        {
            return Html.Empty;
        }

        return Html.Of(
            $"<p><strong>No: with the features that are used ablated, a printed word fools the base model on "
                + $"{Written.Percent(row.Ablation.AttackSuccess)} of images, untouched on {Written.Percent(row.Before.AttackSuccess)}, "
                + $"with random features off on {Written.Percent(Mean(row, draw => draw.AttackSuccess))}.</strong> On these data they "
                + $"are not what makes the model read, and an arm that builds on them has nothing to build on.</p>"
        );
    }

    private static Html Row(AblatedLayer row)
    {
        var (before, after) = (row.Before, row.Ablation);
        double? Mean(Func<AttackAccuracy, double> metric) => CausalEvidence.Mean(row, metric);
        var strong = Helps(row) ? "strong" : "";
        var chosen = row.Chosen;
        return Html.Of(
            $"""
            <tr class="{(chosen ? "chosen" : "")}"><th scope="row"><code>{row.Sae}</code>{(
                chosen ? Html.Of($" <em class=\"badge\">used</em>") : Html.Empty
            )}</th><td class="n">{Written.Percent(row.Share)}</td><td class="n">{Written.Count(row.Salient)} of {Written.Count(
                row.Features
            )}</td>
            <td class="n">{Written.Percent(before.Attacked)}</td><td class="n {strong}">{Written.Percent(
                after.Attacked
            )}</td><td class="n">{Written.Percent(Mean(draw => draw.Attacked))}</td>
            <td class="n">{Written.Percent(before.AttackSuccess)}</td><td class="n {strong}">{Written.Percent(
                after.AttackSuccess
            )}</td><td class="n">{Written.Percent(Mean(draw => draw.AttackSuccess))}</td>
            <td class="n">{Written.Points(after.Clean - before.Clean)}</td><td class="n">{Written.Points(
                Mean(draw => draw.Clean) - before.Clean
            )}</td>
            <td class="plot">{IntervalTrack.Render(
                new("base", before.AttackSuccess),
                new("control", Mean(draw => draw.AttackSuccess), Fooled().Min(), Fooled().Max()),
                new IntervalTrack.Mark("tuned", after.AttackSuccess)
            )}</td></tr>
            """
        );

        IEnumerable<double?> Fooled() => row.Random.Select(draw => (double?)draw.AttackSuccess);
    }
}
