using System.Text.Json.Nodes;
using ClipSae.Contracts;

namespace ClipSae.Reporting;

/// <summary>What every tuned model gives up for its robustness: clean accuracy and reading beside the family of print it is worst at, with paired tests against the base.</summary>
internal static class TradeOff
{
    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data) is not { Clean: { } clean, Families.Count: > 0 } view || !view.Arms.Any())
        {
            return null;
        }

        string[] arms = [.. view.Models.Skip(1).Select(Arm).Distinct(StringComparer.Ordinal)];
        Row[] rows = [.. view.Models.Select((model, place) => Read(view, model, clean, place == 0 ? "" : Letter(Array.IndexOf(arms, Arm(model))))).OfType<Row>()];
        if (rows.Length < 2)
        {
            return null;
        }

        var (of, families) = (view.HasFamilies ? "the worst family of print" : "the worst attacked set", view.HasFamilies ? $"{view.Families.Count} families of print" : $"{view.Families.Count} attacked set{(view.Families.Count == 1 ? "" : "s")}");
        var chart = new ParetoChart([.. rows.Select(row => new ParetoChart.Point(row.Name, row.Letter, row.Clean.Value, row.Worst.Value, row.Reading?.Value, ArmName.IsControl(row.Arm)))], of);
        var table = Html.Of($"""
            <table class="compact"><thead><tr><th>Model</th><th class="n">Clean</th><th class="n">less base</th><th class="n">p</th><th>Worst at</th><th class="n">Attacked</th><th class="n">less base</th><th class="n">p</th><th class="n">Word alone read</th></tr></thead>
            <tbody>{rows.Select(row => Tell(view, row, clean))}</tbody></table>
            """);
        return new Section(
            "trade-off",
            "Clean against robust",
            Html.Of($"One mark is one tuned model, an arm with its seed; up and to the right is better, and the line joins those that no other beats on both. Up is accuracy on {of}, of {families}, each model’s own worst. Differences are paired image by image with the base on the same set, with 95 % intervals and McNemar’s p."),
            Html.Of($"<div class=\"charts\">{chart.Render()}</div>{Section.Wide("Clean accuracy, worst attack and reading of every model", table)}"));
    }

    private static Row? Read(EvaluationView view, JsonNode model, string clean, string letter)
    {
        var worst = view.Families.Select(set => (Set: set, Figure: EvaluationView.Figure(model, set, "accuracy"))).Where(family => family.Figure is not null)
            .OrderBy(family => family.Figure!.Value).ThenBy(family => family.Set, StringComparer.Ordinal).FirstOrDefault();
        return EvaluationView.Figure(model, clean, "accuracy") is { } accuracy && worst.Figure is { } attacked
            ? new Row(model, model.Text("name") ?? "", Arm(model), letter, accuracy, worst.Set, attacked, EvaluationView.Figure(model, view.WordsAlone, "accuracy"))
            : null;
    }

    private static Html Tell(EvaluationView view, Row row, string clean) => Html.Of($"""
        <tr class="{(row.Letter.Length == 0 ? "base-row" : ArmName.IsControl(row.Arm) ? "control" : "")}"><th scope="row">{(row.Letter.Length == 0 ? Html.Empty : Html.Of($"<b>{row.Letter}</b> "))}{row.Name}</th>
        {Figure.Cell(row.Clean)}{Difference(row.Model, clean)}<td>{view.FamilyName(row.Set)}</td>{Figure.Cell(row.Worst)}{Difference(row.Model, row.Set)}{Figure.Cell(row.Reading)}</tr>
        """);

    private static Html Difference(JsonNode model, string set)
    {
        var change = Figure.Of(model.At("sets", set, "againstBase", "accuracy"));
        return change is null
            ? Html.Of($"<td></td><td></td>")
            : Html.Of($"<td class=\"n\"><span class=\"v\">{Written.Points(change.Value)}</span><span class=\"ci\">{Written.SignedRange(change.Low, change.High)}</span></td><td class=\"n\">{Written.Probability(model.Number("sets", set, "againstBase", "mcNemar", "pValue"))}</td>");
    }

    private static string Arm(JsonNode model) => model.Text("arm") ?? model.Text("name") ?? "";

    private static string Letter(int place) => place < 26 ? ((char)('a' + place)).ToString() : FormattableString.Invariant($"{place + 1}");

    private sealed record Row(JsonNode Model, string Name, string Arm, string Letter, Figure Clean, string Set, Figure Worst, Figure? Reading);
}
