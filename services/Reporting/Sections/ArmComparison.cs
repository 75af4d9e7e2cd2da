using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>All arms of fine-tuning beside their random controls, and which model was chosen and why.</summary>
internal static class ArmComparison
{
    private const string ControlSuffix = "-random";

    private static readonly (string Set, string Figure, string Title)[] Known =
    [
        ("clean", "accuracy", "No print"), ("attacked", "accuracy", "Attacked"), ("attacked", "attackSuccess", "Taken for the word"),
        ("attacked-heldout", "accuracy", "Attacked, unseen"), ("attacked-heldout", "attackSuccess", "Taken, unseen"), ("words-heldout", "accuracy", "Word alone read"),
    ];

    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data.Results) is not { } view || !view.Arms.Any())
        {
            return null;
        }

        var arms = view.Arms.OrderBy(arm => Informed(arm) == "none" ? 0 : 1).ThenBy(Informed, StringComparer.Ordinal).ThenBy(arm => arm.IsTrue("control")).ToArray();
        var attack = view.HardestAttack;
        var columns = Known.Where(column => view.Sets.Any(set => set.Text("name") == column.Set)).ToArray();
        var table = Html.Of($"""
            <table class="arms"><thead><tr><th>Arm</th><th class="n">Seeds</th><th class="n">Validation</th>{columns.Select(column => Html.Of($"<th class=\"n\">{column.Title}</th>"))}{IntervalTrack.Heading(attack is null ? "" : "Attacked")}</tr></thead>
            <tbody>{BaseRow(view, columns, attack)}{arms.Select(arm => Row(view, arm, columns, attack))}</tbody></table>
            """);
        return new Section("arms", "Arms and their random controls", Html.Of($"{Chosen(view)} {Seeds(arms)}"), Html.Of($"{Section.Wide(table)}{Contrasts(arms, attack)}"));
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

        var candidates = view.Models.Count - 1;
        var why = tuned.Number("validation") is { } score
            ? Html.Of($"was chosen: of {candidates} tuned model{(candidates == 1 ? "" : "s")} it has the highest score on the validation images of fine-tuning ({Written.Number(score)}). The sets on this page had no say in it.")
            : Html.Of($"is shown as the tuned model; no validation scores were recorded to choose by.");
        var control = tuned.Text("arm")?.EndsWith(ControlSuffix, StringComparison.Ordinal) == true
            ? Html.Of($" <strong>It is a random control: in this run, what the autoencoder knew was no help.</strong>")
            : Html.Empty;
        return Html.Of($"<b>{tuned.Text("name")}</b> {why}{control}");
    }

    private static Html Seeds(JsonNode[] arms) => arms.Any(arm => arm.Items("seeds").Count() > 1)
        ? Html.Of($"Arms with several seeds show the mean and Student’s 95 % interval over seeds; with one seed the interval is over images.")
        : Html.Of($"Each arm was trained once, so intervals are over images and say nothing about another seed.");

    private static Html Contrasts(JsonNode[] arms, string? attack)
    {
        var lines = arms.Where(arm => !arm.IsTrue("control"))
            .Select(arm => Contrast(arm, arms.FirstOrDefault(other => other.Text("name") == arm.Text("name") + ControlSuffix), attack)).ToArray();
        return lines.All(line => line.Text.Length == 0) ? Html.Empty : Html.Of($"<ul class=\"contrasts\">{lines}</ul>");
    }

    private static Html Contrast(JsonNode arm, JsonNode? control, string? attack)
    {
        var (informed, random) = (EvaluationView.Figure(arm, attack, "accuracy"), EvaluationView.Figure(control, attack, "accuracy"));
        if (informed is null || random is null)
        {
            return Html.Empty;
        }

        var apart = informed.Low > random.High || informed.High < random.Low;
        var gain = informed.Value - random.Value;
        var reading = !apart ? "the intervals overlap, so this run does not tell them apart" : gain > 0 ? "the autoencoder’s choice helped" : "the random choice did better";
        return Html.Of($"<li><b>{arm.Text("name")}</b> against its control: {Written.Points(gain)} attacked accuracy; {reading}.</li>");
    }

    private static string Informed(JsonNode arm) => (arm.Text("name") ?? "").Replace(ControlSuffix, "", StringComparison.Ordinal);
}
