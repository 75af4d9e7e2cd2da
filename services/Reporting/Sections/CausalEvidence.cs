using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>What ablating the text-salient features does, beside as many random ones.</summary>
internal static class CausalEvidence
{
    public static Section? Render(ReportData data)
    {
        var rows = data.Salient.Items("layers").ToArray();
        if (rows.Length == 0)
        {
            return null;
        }

        var table = Html.Of($"""
            <table class="causal"><thead><tr><th rowspan="2">Hook point</th><th rowspan="2" class="n">Share</th><th rowspan="2" class="n">Features</th><th colspan="3" class="over">Attacked accuracy</th><th colspan="3" class="over">Taken for the word</th><th colspan="2" class="over">Clean, change</th>{IntervalTrack.Heading("Taken for the word", rows: 2)}</tr>
            <tr><th class="n">before</th><th class="n">salient out</th><th class="n">random out</th><th class="n">before</th><th class="n">salient out</th><th class="n">random out</th><th class="n">salient out</th><th class="n">random out</th></tr></thead>
            <tbody>{rows.Select(row => Row(row, data.Salient))}</tbody></table>
            """);
        return new Section(
            "causal",
            "Do these features make the model read?",
            Html.Of($"Features that fire for words and not for unreadable strokes are switched off inside the base; nothing is trained. If they carry the reading, fewer images are taken for the printed word, while as many random features of equal activity should change little. <span class=\"legend-inline\"><b class=\"dot base\"></b> untouched <b class=\"dot tuned\"></b> salient out <b class=\"dot control\"></b> random out, lowest to highest draw</span>"),
            Section.Wide("Features switched off", table));
    }

    private static Html Row(JsonNode row, JsonNode? salient)
    {
        var (before, after) = (row.At("before"), row.At("ablation"));
        var random = row.Items("random").ToArray();
        double? Mean(string figure) => random.Length == 0 ? null : random.Average(draw => draw.Number(figure));
        var chosen = row.IsTrue("chosen") || (row.At("chosen") is null && row.Text("sae") == salient.Text("sae"));
        return Html.Of($"""
            <tr class="{(chosen ? "chosen" : "")}"><th scope="row"><code>{row.Text("sae")}</code>{(chosen ? Html.Of($" <em class=\"badge\">used</em>") : Html.Empty)}</th><td class="n">{Written.Percent(row.Number("share") ?? after.Number("share"))}</td><td class="n">{Written.Count(row.Number("salient"))} of {Written.Count(row.Number("features"))}</td>
            <td class="n">{Written.Percent(before.Number("attacked"))}</td><td class="n strong">{Written.Percent(after.Number("attacked"))}</td><td class="n">{Written.Percent(Mean("attacked"))}</td>
            <td class="n">{Written.Percent(before.Number("attackSuccess"))}</td><td class="n strong">{Written.Percent(after.Number("attackSuccess"))}</td><td class="n">{Written.Percent(Mean("attackSuccess"))}</td>
            <td class="n">{Written.Points(after.Number("clean") - before.Number("clean"))}</td><td class="n">{Written.Points(Mean("clean") - before.Number("clean"))}</td>
            <td class="plot">{IntervalTrack.Render(new("base", before.Number("attackSuccess")), new("control", Mean("attackSuccess"), Fooled().Min(), Fooled().Max()), new IntervalTrack.Mark("tuned", after.Number("attackSuccess")))}</td></tr>
            """);

        IEnumerable<double?> Fooled() => random.Select(draw => draw.Number("attackSuccess"));
    }
}
