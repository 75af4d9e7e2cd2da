using System.Text.Json.Nodes;
using ClipSae.Contracts;

namespace ClipSae.Reporting;

/// <summary>All arms of fine-tuning beside their random controls, and which model was chosen and why.</summary>
internal static class ArmComparison
{
    private static readonly (string Set, string Figure, string Title)[] Known =
    [
        ("clean", "accuracy", "Clean"), ("attacked", "accuracy", "Attacked"), ("attacked", "attackSuccess", "Attack success rate"),
        ("attacked-heldout", "accuracy", "Attacked, held out"), ("attacked-heldout", "attackSuccess", "Success, held out"), ("words", "accuracy", "Word alone read"), ("words-heldout", "accuracy", "Word alone, held out"),
    ];

    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data) is not { } view || !view.Arms.Any())
        {
            return null;
        }

        var arms = view.Arms.OrderBy(arm => Informed(arm) == "none" ? 0 : 1).ThenBy(Informed, StringComparer.Ordinal).ThenBy(arm => arm.IsTrue("control")).ToArray();
        var attack = view.HardestAttack;
        var columns = Known.Where(column => view.Sets.Any(set => set.Text("name") == column.Set)).ToArray();
        var table = Html.Of($"""
            <table class="arms"><thead><tr><th>Arm</th><th class="n">Seeds</th><th class="n">Validation</th>{columns.Select(column => Html.Of($"<th class=\"n\">{column.Title} <small>n = {Written.Count(view.Images(column.Set))}</small></th>"))}{IntervalTrack.Heading(attack is null ? "" : "Attacked")}</tr></thead>
            <tbody>{BaseRow(view, columns, attack)}{arms.Select(arm => Row(view, arm, columns, attack))}</tbody></table>
            """);
        return new Section("arms", "Arms and their random controls", Html.Of($"{Chosen(view)} {Seeds(arms)}"), Html.Of($"{Section.Wide("Arms", table)}{Contrasts(view, arms, attack)}"));
    }

    private static Html BaseRow(EvaluationView view, (string Set, string Figure, string Title)[] columns, string? attack)
    {
        var mark = EvaluationView.Figure(view.Base, attack, "accuracy");
        return Html.Of($"""
            <tr class="base-row"><th scope="row">base <small>untouched</small></th><td></td><td></td>{columns.Select(column => Figure.Cell(EvaluationView.Figure(view.Base, column.Set, column.Figure)))}
            <td class="plot">{IntervalTrack.Render(new IntervalTrack.Mark("base", mark?.Value, mark?.Low, mark?.High))}</td></tr>
            """);
    }

    private static Html Row(EvaluationView view, JsonNode arm, (string Set, string Figure, string Title)[] columns, string? attack)
    {
        var (control, name) = (arm.IsTrue("control"), arm.Text("name"));
        var chosen = view.Tuned.Text("arm") == name;
        var mark = EvaluationView.Figure(arm, attack, "accuracy");
        return Html.Of($"""
            <tr class="{(control ? "control" : "")} {(chosen ? "chosen" : "")}"><th scope="row">{name}{(chosen ? Html.Of($" <em class=\"badge\">chosen</em>") : Html.Empty)}{(control ? Html.Of($" <small>random control</small>") : Html.Empty)}</th>
            <td class="n">{arm.Items("seeds").Count()}</td><td class="n">{Written.Number(arm.Number("validation"))}</td>{columns.Select(column => Figure.Cell(EvaluationView.Figure(arm, column.Set, column.Figure)))}
            <td class="plot">{IntervalTrack.Render(new IntervalTrack.Mark(control ? "control" : "tuned", mark?.Value, mark?.Low, mark?.High))}</td></tr>
            """);
    }

    private static Html Chosen(EvaluationView view)
    {
        if (view.Tuned is not { } tuned)
        {
            return Html.Empty;
        }

        var candidates = view.Models.Skip(1).Count(model => !ArmName.IsControl(model.Text("arm")));
        var score = tuned.Number("validation");
        var why = score is { } best
            ? Html.Of($"was chosen: of {candidates} tuned model{(candidates == 1 ? "" : "s")} it has the highest score on the validation images of fine-tuning ({Written.Number(best)}). The sets on this page had no say in it, and random controls are never candidates.")
            : Html.Of($"is shown as the tuned model; no validation scores were recorded to choose by.");
        var better = view.Models.Skip(1).Where(model => ArmName.IsControl(model.Text("arm")) && model.Number("validation") > score).MaxBy(model => model.Number("validation"));
        var control = better is null
            ? Html.Empty
            : Html.Of($" <strong>The random control {better.Text("name")} scores higher ({Written.Number(better.Number("validation")!.Value)}): here the autoencoder’s choice did no better than a random one.</strong>");
        return Html.Of($"<b>{tuned.Text("name")}</b> {why}{control}");
    }

    private static Html Seeds(JsonNode[] arms) => arms.Any(arm => arm.Items("seeds").Count() > 1)
        ? Html.Of($"Arms with several seeds show the mean and Student’s 95 % interval over seeds; with one seed the interval is over images.")
        : Html.Of($"Each arm was trained once, so intervals are over images and say nothing about another seed.");

    private static Html Contrasts(EvaluationView view, JsonNode[] arms, string? attack)
    {
        var lines = arms.Select(arm => Contrast(arm, attack)).Where(line => line.Text.Length > 0).ToArray();
        return lines.Length == 0
            ? Html.Empty
            : Html.Of($"<h3>Arms less their controls <small>accuracy on {attack}</small></h3><ul class=\"contrasts\">{lines}</ul>");
    }

    // Arm and control share seed, data and images, so their difference is what counts; intervals of each by itself hold what both share.
    private static Html Contrast(JsonNode arm, string? attack)
    {
        if (attack is null || arm.At("sets", attack, "againstControl") is not { } contrast || Figure.Of(contrast.At("accuracy")) is not { } gain)
        {
            return Html.Empty;
        }

        var seeds = contrast.Number("seeds") ?? 1;
        var (over, reading) = seeds > 1
            ? ($"Student’s interval over the differences of {Written.Count(seeds)} seeds", Verdict(gain))
            : ($"over the same images, McNemar p {Written.Probability(contrast.Number("mcNemar", "pValue"))}", "one seed each, which says nothing on whether another seed would agree");
        return Html.Of($"<li><b>{arm.Text("name")}</b> less its control: {Written.Points(gain.Value)} ({Written.SignedRange(gain.Low, gain.High)}, {over}); {reading}.</li>");
    }

    private static string Verdict(Figure gain) => gain switch
    {
        { Low: > 0 } => "the autoencoder’s choice helped",
        { High: < 0 } => "the random choice did better",
        _ => "these seeds do not tell them apart",
    };

    private static string Informed(JsonNode arm) => ArmName.Informed(arm.Text("name") ?? "");
}
