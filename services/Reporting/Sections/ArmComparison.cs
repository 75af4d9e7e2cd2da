using ClipSae.Pages;
using ClipSae.Reporting.Charts;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>All arms of fine-tuning next to their random controls, and which model was chosen and why.</summary>
internal static class ArmComparison
{
    private static readonly (string Set, bool Success, string Title)[] Known =
    [
        ("clean", false, "Clean"),
        ("attacked", false, "Attacked"),
        ("attacked", true, "Attack success rate"),
        ("attacked-heldout", false, "Attacked, held out"),
        ("attacked-heldout", true, "Success, held out"),
        ("words", false, "Word alone read"),
        ("words-heldout", false, "Word alone, held out"),
    ];

    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data) is not { } view || view.Arms.Count == 0)
        {
            return null;
        }

        var arms = view
            .Arms.OrderBy(arm => Informed(arm) == "none" ? 0 : 1)
            .ThenBy(Informed, StringComparer.Ordinal)
            .ThenBy(arm => arm.Control)
            .ToArray();
        var attack = view.HardestAttack;
        var columns = Known.Where(column => view.Sets.Any(set => set.Name == column.Set)).ToArray();
        var table = Html.Of(
            $"""
            <table class="arms"><thead><tr><th>Arm</th><th class="n">Seeds</th><th class="n">Validation</th>{columns.Select(column =>
                Html.Of($"<th class=\"n\">{column.Title} <small>n = {Written.Count(view.Images(column.Set))}</small></th>")
            )}{IntervalTrack.Heading(attack is null ? "" : "Attacked")}</tr></thead>
            <tbody>{BaseRow(view, columns, attack)}{arms.Select(arm => Row(view, arm, columns, attack))}</tbody></table>
            """
        );
        return new Section(
            "arms",
            "Arms and their random controls",
            Html.Of($"{Chosen(view)} {Seeds(arms)}"),
            Html.Of($"{Html.Wide("Arms", table)}{Contrasts(view, arms, attack)}")
        );
    }

    private static Html BaseRow(EvaluationView view, (string Set, bool Success, string Title)[] columns, string? attack)
    {
        var mark = EvaluationView.Scores(view.Base, attack)?.Accuracy;
        return Html.Of(
            $"""
            <tr class="base-row"><th scope="row">base <small>untouched</small></th><td></td><td></td>{columns.Select(column =>
                Cell(EvaluationView.Scores(view.Base, column.Set), column.Success)
            )}
            <td class="plot">{IntervalTrack.Render(new IntervalTrack.Mark("base", mark?.Value, mark?.Low, mark?.High))}</td></tr>
            """
        );
    }

    private static Html Row(EvaluationView view, ArmScores arm, (string Set, bool Success, string Title)[] columns, string? attack)
    {
        var (control, name) = (arm.Control, arm.Name);
        var chosen = view.Tuned?.Arm == name;
        var mark = EvaluationView.Scores(arm, attack)?.Accuracy;
        return Html.Of(
            $"""
            <tr class="{(control ? "control" : "")} {(chosen ? "chosen" : "")}"><th scope="row">{name}{(
                chosen ? Html.Of($" <em class=\"badge\">chosen</em>") : Html.Empty
            )}{(control ? Html.Of($" <small>random control</small>") : Html.Empty)}</th>
            <td class="n">{arm.Seeds.Count}</td><td class="n">{Written.Number(arm.Validation)}</td>{columns.Select(column =>
                Cell(EvaluationView.Scores(arm, column.Set), column.Success)
            )}
            <td class="plot">{IntervalTrack.Render(
                new IntervalTrack.Mark(control ? "control" : "tuned", mark?.Value, mark?.Low, mark?.High)
            )}</td></tr>
            """
        );
    }

    private static Html Chosen(EvaluationView view)
    {
        if (view.Tuned is not { } tuned)
        {
            return Html.Empty;
        }

        var candidates = view.Models.Skip(1).Count(model => !ArmName.IsControl(model.Arm));
        var score = tuned.Validation;
        var why = score is { } best
            ? Html.Of(
                $"was chosen: of {candidates} tuned model{(candidates == 1 ? "" : "s")} it has the highest score on the "
                    + $"validation images of fine-tuning ({Written.Number(best)}). "
                    + $"The sets on this page played no part in the choice, and random controls are never candidates."
            )
            : Html.Of($"is shown as the tuned model; no validation scores were recorded.");
        var better = view
            .Models.Skip(1)
            .Where(model => ArmName.IsControl(model.Arm) && model.Validation > score)
            .MaxBy(model => model.Validation);
        var control = better is null
            ? Html.Empty
            : Html.Of(
                $" <strong>The random control {better.Name} scores higher ({Written.Number(better.Validation)}): "
                    + $"here the autoencoder’s choice did no better than a random one.</strong>"
            );
        return Html.Of($"<b>{tuned.Name}</b> {why}{control}");
    }

    private static Html Seeds(ArmScores[] arms) =>
        arms.Any(arm => arm.Seeds.Count > 1)
            ? Html.Of(
                $"Arms with several seeds show the mean and Student’s 95 % interval over seeds; with one seed the interval is over images."
            )
            : Html.Of($"Each arm was trained once, so intervals are over images and say nothing about another seed.");

    private static Html Contrasts(EvaluationView view, ArmScores[] arms, string? attack)
    {
        var lines = arms.Select(arm => Contrast(arm, attack)).Where(line => line.Text.Length > 0).ToArray();
        return lines.Length == 0
            ? Html.Empty
            : Html.Of($"<h3>Arms less their controls <small>accuracy on {attack}</small></h3><ul class=\"contrasts\">{lines}</ul>");
    }

    // Arm and control share seed, data and images, so their difference is what counts; intervals of each by itself hold what both share.
    private static Html Contrast(ArmScores arm, string? attack)
    {
        if (EvaluationView.Scores(arm, attack)?.AgainstControl is not { Seeds: var seeds, Accuracy: var gain } contrast)
        {
            return Html.Empty;
        }

        var (over, reading) =
            seeds > 1
                ? ($"Student’s interval over the differences of {Written.Count(seeds)} seeds", Verdict(gain))
                : (
                    $"over the same images, McNemar p {Written.Probability(contrast.McNemar?.PValue)}",
                    "one seed each, which says nothing on whether another seed would agree"
                );
        return Html.Of(
            $"<li><b>{arm.Name}</b> less its control: {Written.Points(gain.Value)} "
                + $"({Written.SignedRange(gain.Low, gain.High)}, {over}); {reading}.</li>"
        );
    }

    private static string Verdict(Interval gain) =>
        gain switch
        {
            { Low: > 0 } => "the autoencoder’s choice helped",
            { High: < 0 } => "the random choice did better",
            _ => "these seeds show no difference",
        };

    private static string Informed(ArmScores arm) => ArmName.Informed(arm.Name);

    private static Html Cell(ISetAccuracy? scores, bool success) => IntervalCell.Of(success ? scores?.AttackSuccess : scores?.Accuracy);
}
