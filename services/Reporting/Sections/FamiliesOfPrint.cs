using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>What curation's search found this model to read, family by family, before and after.</summary>
internal static class FamiliesOfPrint
{
    /// <summary>How many printed words fooled the base: in the page's head, since nothing below means much where few did.</summary>
    public static Html Fooled(ReportData data) => data.Curation is { } curation && curation.Number("candidates") is > 0 and var tried && curation.Number("fooled") is { } fooled
        ? Html.Of($"<p class=\"note\">{Written.Count(fooled)} of the {Written.Count(tried)} words that curation printed fooled the base ({Written.Percent(fooled / tried)}).</p>")
        : Html.Empty;

    public static Section? Render(ReportData data)
    {
        var found = data.Curation.Items("redTeam", "families").OrderByDescending(Rate).ToArray();
        if (found.Length == 0)
        {
            return null;
        }

        var (tuned, compared) = Compared(data);
        var table = Html.Of($"""
            <table class="scores"><thead><tr><th>Family</th><th>Trained on</th><th class="n">Printed words</th><th class="n">Fooled the base</th><th class="n">Attack success, base</th><th class="n">tuned</th><th class="n">Accuracy under attack, base</th><th class="n">tuned</th></tr></thead>
            <tbody>{found.Select(family => Row(family, compared.GetValueOrDefault(family.Text("family")!)))}</tbody></table>
            """);
        return new Section("families", "What this model reads", Lead(found, tuned, compared), Section.Wide("Families of print", table));
    }

    private static Html Lead(JsonNode[] found, string? tuned, IReadOnlyDictionary<string, JsonNode> compared)
    {
        var judged = compared.Values.Where(family => family.IsTrue("heldOut")).ToArray();
        var worst = judged.MinBy(family => family.Number("after", "attacked"));
        return Html.Of($"""
            Curation tried words in {found.Length} families of print and spent the more on one the more it fooled the base: most {Named(found[0])}, least {Named(found[^1])}. Some families it held out; fine-tuning never saw them and was validated by them.
            {(worst is null ? "" : $"On pictures set apart, {tuned} is right on {Written.Percent(judged.Average(family => family.Number("after", "attacked")))} of print in families it never saw (base {Written.Percent(judged.Average(family => family.Number("before", "attacked")))}); worst is “{worst.Text("family")}” with {Written.Percent(worst.Number("after", "attacked"))}.")}
            """);
    }

    private static Html Row(JsonNode found, JsonNode? compared) => Html.Of($"""
        <tr><th scope="row">{found.Text("family")}</th><td>{(found.IsTrue("heldOut") ? "no" : "yes")}</td><td class="n">{Written.Count(found.Number("tried"))}</td><td class="n">{Written.Percent(Rate(found))}</td>
        <td class="n">{Written.Percent(compared.Number("before", "attackSuccess"))}</td><td class="n">{Written.Percent(compared.Number("after", "attackSuccess"))}</td><td class="n">{Written.Percent(compared.Number("before", "attacked"))}</td><td class="n">{Written.Percent(compared.Number("after", "attacked"))}</td></tr>
        """);

    /// <summary>The unit whose model was taken, else the first, and its comparison by family.</summary>
    private static (string? Unit, IReadOnlyDictionary<string, JsonNode> Families) Compared(ReportData data)
    {
        var taken = EvaluationView.Of(data)?.Tuned?.Name;
        var units = data.Units.Where(unit => unit.Stage == "fine-tuning").ToArray();
        var unit = units.FirstOrDefault(unit => unit.Unit == taken) ?? units.FirstOrDefault();
        return (unit?.Unit, (unit?.Figures).Items("families").ToDictionary(family => family.Text("family")!, StringComparer.Ordinal));
    }

    private static double Rate(JsonNode family) => family.Number("tried") is > 0 and var tried ? (family.Number("fooled") ?? 0) / tried : 0;

    private static string Named(JsonNode family) => $"“{family.Text("family")}” ({Written.Percent(Rate(family))})";
}
