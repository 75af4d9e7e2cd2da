using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>What ablating the text-salient features does, beside as many random ones.</summary>
internal static class CausalEvidence
{
    // Two pictures of a hundred: less is what any features do.
    private const double Notable = 0.02;

    public static Section? Render(ReportData data)
    {
        var rows = data.Salient.Items("layers").ToArray();
        if (rows.Length == 0)
        {
            return null;
        }

        var table = Html.Of($"""
            <table class="causal"><thead><tr><th rowspan="2">Hook point</th><th rowspan="2" class="n">Share</th><th rowspan="2" class="n">Features</th><th colspan="3" class="over">Accuracy under attack</th><th colspan="3" class="over">Attack success rate</th><th colspan="2" class="over">Clean, change</th>{IntervalTrack.Heading("Attack success rate", rows: 2)}</tr>
            <tr><th class="n">before</th><th class="n">salient ablated</th><th class="n">random ablated</th><th class="n">before</th><th class="n">salient ablated</th><th class="n">random ablated</th><th class="n">salient ablated</th><th class="n">random ablated</th></tr></thead>
            <tbody>{rows.Select(row => Row(row, data.Salient))}</tbody></table>
            """);
        return new Section(
            "causal",
            "Do these features make the model read?",
            Html.Of($"Features that fire for words and not for unreadable strokes are ablated in the base; nothing is trained. They were chosen on {Written.Count(data.Salient.Number("pairs"))} pictures, each clean and with a word on it; the accuracies here are on other pictures. If they carry the reading, fewer attacks succeed, while as many random features of equal activity should change little. <span class=\"legend-inline\"><b class=\"dot base\"></b> untouched <b class=\"dot tuned\"></b> salient ablated <b class=\"dot control\"></b> random ablated, lowest to highest draw</span>"),
            Html.Of($"{Effect(data.Salient)}{Section.Wide("Features ablated", table)}"));
    }

    /// <summary>Whether switching off the features that are used helped, more than random ones did.</summary>
    internal static bool? Helped(JsonNode? salient) => salient.Items("layers").FirstOrDefault(row => IsChosen(row, salient)) is { } row ? Helps(row) : null;

    // Fooled less often than before, and than with random features switched off.
    private static bool Helps(JsonNode row) =>
        row.Number("ablation", "attackSuccess") < row.Number("before", "attackSuccess") - Notable
        && !(Mean(row, "attackSuccess") <= row.Number("ablation", "attackSuccess"));

    private static bool IsChosen(JsonNode row, JsonNode? salient) => row.IsTrue("chosen") || (row.At("chosen") is null && row.Text("sae") == salient.Text("sae"));

    private static double? Mean(JsonNode row, string figure) => row.Items("random").ToArray() is { Length: > 0 } random ? random.Average(draw => draw.Number(figure)) : null;

    private static Html Effect(JsonNode? salient)
    {
        if (salient.Items("layers").FirstOrDefault(row => IsChosen(row, salient)) is not { } row || Helps(row))
        {
            return Html.Empty;
        }

        return Html.Of($"<p><strong>No: with the features that are used ablated, a printed word fools the base model on {Written.Percent(row.Number("ablation", "attackSuccess"))} of images, untouched on {Written.Percent(row.Number("before", "attackSuccess"))}, with random features off on {Written.Percent(Mean(row, "attackSuccess"))}.</strong> On these data they are not what makes the model read, and an arm that builds on them has nothing to build on.</p>");
    }

    private static Html Row(JsonNode row, JsonNode? salient)
    {
        var (before, after) = (row.At("before"), row.At("ablation"));
        var random = row.Items("random").ToArray();
        double? Mean(string figure) => CausalEvidence.Mean(row, figure);
        var strong = Helps(row) ? "strong" : "";
        var chosen = IsChosen(row, salient);
        return Html.Of($"""
            <tr class="{(chosen ? "chosen" : "")}"><th scope="row"><code>{row.Text("sae")}</code>{(chosen ? Html.Of($" <em class=\"badge\">used</em>") : Html.Empty)}</th><td class="n">{Written.Percent(row.Number("share") ?? after.Number("share"))}</td><td class="n">{Written.Count(row.Number("salient"))} of {Written.Count(row.Number("features"))}</td>
            <td class="n">{Written.Percent(before.Number("attacked"))}</td><td class="n {strong}">{Written.Percent(after.Number("attacked"))}</td><td class="n">{Written.Percent(Mean("attacked"))}</td>
            <td class="n">{Written.Percent(before.Number("attackSuccess"))}</td><td class="n {strong}">{Written.Percent(after.Number("attackSuccess"))}</td><td class="n">{Written.Percent(Mean("attackSuccess"))}</td>
            <td class="n">{Written.Points(after.Number("clean") - before.Number("clean"))}</td><td class="n">{Written.Points(Mean("clean") - before.Number("clean"))}</td>
            <td class="plot">{IntervalTrack.Render(new("base", before.Number("attackSuccess")), new("control", Mean("attackSuccess"), Fooled().Min(), Fooled().Max()), new IntervalTrack.Mark("tuned", after.Number("attackSuccess")))}</td></tr>
            """);

        IEnumerable<double?> Fooled() => random.Select(draw => draw.Number("attackSuccess"));
    }
}
