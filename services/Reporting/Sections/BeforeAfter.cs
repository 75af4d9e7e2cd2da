using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>Base and tuned on every set of objects and words, with intervals, paired differences and McNemar's test.</summary>
internal static class BeforeAfter
{
    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data) is not { Tuned: not null } view || view.Sets.Count == 0)
        {
            return null;
        }

        var table = Html.Of($"""
            <table class="scores"><thead><tr><th>Set and figure</th><th class="n">Base{Name(view.Base)}</th><th class="n">Tuned{Name(view.Tuned)}</th><th class="n">Difference</th><th class="n">McNemar p</th>{IntervalTrack.Heading("")}</tr></thead>
            <tbody>{view.Sets.SelectMany(set => Rows(view, set))}</tbody></table>
            """);
        return new Section(
            "before-after",
            "Before and after",
            Html.Of($"Zero-shot with {Templates(view)}, choosing among the classes of each set, and among the printed words too where there are any. <span class=\"legend-inline\"><b class=\"dot base\"></b> base <b class=\"dot tuned\"></b> tuned, lines are 95 % intervals</span>"),
            Section.Wide("Scores of base and tuned", table));
    }

    private static IEnumerable<Html> Rows(EvaluationView view, JsonNode set)
    {
        var name = set.Text("name")!;
        yield return Html.Of($"<tr class=\"group\"><th colspan=\"6\" scope=\"rowgroup\">{view.Title(name)} <small>{Written.Count(set.Number("images"))} images · {Choices(set)} · {name}</small></th></tr>");
        yield return Row(view, name, set.Text("protocol") == "words" ? "Word is read" : "Accuracy", "accuracy", view.Tuned.Number("sets", name, "againstBase", "mcNemar", "pValue"));
        if (EvaluationView.Figure(view.Base, name, "meanPerClass") is not null)
        {
            yield return Row(view, name, "Mean of the classes", "meanPerClass", null);
        }

        if (set.Text("protocol") == "attacked")
        {
            yield return Row(view, name, "Attack success rate", "attackSuccess", null);
        }

        if (EvaluationView.Figure(view.Base, name, "binaryAccuracy") is not null)
        {
            yield return Row(view, name, "Object beats word, two choices", "binaryAccuracy", view.Tuned.Number("sets", name, "againstBase", "binaryMcNemar", "pValue"));
            yield return Margin(view, name);
        }
    }

    private static string Choices(JsonNode set)
    {
        var (classes, candidates) = (set.Number("classes") ?? 0, set.Items("candidates").Count());
        return candidates > classes ? $"{Written.Count(classes)} classes and {Written.Count(candidates - classes)} words" : $"{Written.Count(classes)} classes";
    }

    private static Html Row(EvaluationView view, string set, string title, string figure, double? probability)
    {
        var (before, after) = (EvaluationView.Figure(view.Base, set, figure), EvaluationView.Figure(view.Tuned, set, figure));
        var change = Figure.Of(view.Tuned.At("sets", set, "againstBase", figure));
        var difference = change is not null
            ? Html.Of($"<span class=\"v\">{Written.Points(change.Value)}</span><span class=\"ci\">{Written.SignedRange(change.Low, change.High)}</span>")
            : Html.Of($"{Written.Points(after?.Value - before?.Value)}");
        return Html.Of($"""
            <tr><th scope="row">{title}</th>{Figure.Cell(before)}{Figure.Cell(after)}<td class="n">{difference}</td><td class="n">{Written.Probability(probability)}</td>
            <td class="plot">{IntervalTrack.Render(new("base", before?.Value, before?.Low, before?.High), new IntervalTrack.Mark("tuned", after?.Value, after?.Low, after?.High))}</td></tr>
            """);
    }

    private static Html Margin(EvaluationView view, string set)
    {
        var (before, after) = (EvaluationView.Figure(view.Base, set, "binaryMargin"), EvaluationView.Figure(view.Tuned, set, "binaryMargin"));
        return before is null
            ? Html.Empty
            : Html.Of($"<tr><th scope=\"row\">Mean margin, cosine of object less word</th>{Cell(before)}{Cell(after)}<td class=\"n\">{(after is null ? Written.Missing : Written.Signed(after.Value - before.Value))}</td><td></td><td class=\"plot\"></td></tr>");

        static Html Cell(Figure? figure) => figure is null
            ? Html.Of($"<td class=\"n\">{Written.Missing}</td>")
            : Html.Of($"<td class=\"n\"><span class=\"v\">{Written.Signed(figure.Value)}</span><span class=\"ci\">{Written.Signed(figure.Low ?? 0)} to {Written.Signed(figure.High ?? 0)}</span></td>");
    }

    private static Html Templates(EvaluationView view)
    {
        var templates = view.Root.Items("templates").Select(template => template.ToString()).ToArray();
        return templates.Length == 1 ? Html.Of($"the prompt “{templates[0]}”") : Html.Of($"the mean of {templates.Length} prompts");
    }

    private static Html Name(JsonNode? model) => model.Text("name") is { } name and not ("base" or "tuned") ? Html.Of($" <small>{name}</small>") : Html.Empty;
}
