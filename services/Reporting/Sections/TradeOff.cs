using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>
/// What every tuned model gives up for its robustness: clean accuracy and reading next to the family of print it is worst at, with paired
/// tests against the base.
/// </summary>
internal static class TradeOff
{
    /// <summary>The chart alone, for the page's first screen; nothing if there are no tuned models to compare.</summary>
    public static Html Chart(ReportData data) =>
        EvaluationView.Of(data) is { } view && Rows(view) is { Length: > 0 } rows
            ? new ParetoChart(
                [
                    .. rows.Select(row => new ParetoChart.Point(
                        row.Name,
                        row.Letter,
                        row.Clean.Value,
                        row.Worst.Value,
                        row.Reading?.Value,
                        ArmName.IsControl(row.Arm)
                    )),
                ],
                Up(view)
            ).Render()
            : Html.Empty;

    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data) is not { Clean: { } clean } view || Rows(view) is not { Length: > 0 } rows)
        {
            return null;
        }

        var families = view.HasFamilies
            ? $"{view.Families.Count} families of print"
            : $"{view.Families.Count} attacked set{(view.Families.Count == 1 ? "" : "s")}";
        var table = Html.Of(
            $"""
            <table class="compact"><thead><tr><th>Model</th><th class="n">Clean</th><th class="n">less base</th><th class="n">p</th><th>Worst at</th><th class="n">Attacked</th><th class="n">less base</th><th class="n">p</th><th class="n">Word alone read</th></tr></thead>
            <tbody>{rows.Select(row => Tell(view, row, clean))}</tbody></table>
            """
        );
        return new Section(
            "trade-off",
            "Clean against robust",
            Html.Of(
                $"The models of the chart above. One mark is one tuned model, an arm with its seed; "
                    + $"up and to the right is better, and the line joins those that no other beats on both. "
                    + $"Up is accuracy on {Up(view)}, of {families}, each model’s own worst. "
                    + $"Differences are paired image by image with the base on the same set, with 95 % intervals and McNemar’s p."
            ),
            Html.Wide("Clean accuracy, worst attack and reading of every model", table)
        );
    }

    private static string Up(EvaluationView view) => view.HasFamilies ? "the worst family of print" : "the worst attacked set";

    /// <summary>The base and every tuned model; empty if there is not one of each.</summary>
    private static Row[] Rows(EvaluationView view)
    {
        if (view is not { Clean: { } clean, Families.Count: > 0, Arms.Count: > 0 })
        {
            return [];
        }

        string[] arms = [.. view.Models.Skip(1).Select(Arm).Distinct(StringComparer.Ordinal)];
        Row[] rows =
        [
            .. view
                .Models.Select((model, place) => Read(view, model, clean, place == 0 ? "" : Letter(Array.IndexOf(arms, Arm(model)))))
                .OfType<Row>(),
        ];
        return rows.Length < 2 ? [] : rows;
    }

    private static Row? Read(EvaluationView view, ModelScores model, string clean, string letter) =>
        EvaluationView.Scores(model, clean)?.Accuracy is { } accuracy && view.Worst(model) is { } worst
            ? new Row(
                model,
                model.Name,
                Arm(model),
                letter,
                accuracy,
                worst.Set,
                worst.Accuracy,
                EvaluationView.Scores(model, view.WordsAlone)?.Accuracy
            )
            : null;

    private static Html Tell(EvaluationView view, Row row, string clean) =>
        Html.Of(
            $"""
            <tr class="{(
                row.Letter.Length == 0 ? "base-row"
                : ArmName.IsControl(row.Arm) ? "control"
                : ""
            )}"><th scope="row">{(row.Letter.Length == 0 ? Html.Empty : Html.Of($"<b>{row.Letter}</b> "))}{row.Name}</th>
            {IntervalCell.Of(row.Clean)}{Difference(row.Model, clean)}<td>{view.FamilyName(row.Set)}</td>{IntervalCell.Of(
                row.Worst
            )}{Difference(row.Model, row.Set)}{IntervalCell.Of(row.Reading)}</tr>
            """
        );

    private static Html Difference(ModelScores model, string set)
    {
        return EvaluationView.Scores(model, set)?.AgainstBase is not { } change
            ? Html.Of($"<td></td><td></td>")
            : Html.Of(
                $"<td class=\"n\">{IntervalCell.Difference(change.Accuracy)}</td>"
                    + $"<td class=\"n\">{Written.Probability(change.McNemar.PValue)}</td>"
            );
    }

    private static string Arm(ModelScores model) => model.Arm ?? model.Name;

    private static string Letter(int place) => place < 26 ? ((char)('a' + place)).ToString() : FormattableString.Invariant($"{place + 1}");

    private sealed record Row(
        ModelScores Model,
        string Name,
        string Arm,
        string Letter,
        Interval Clean,
        string Set,
        Interval Worst,
        Interval? Reading
    );
}
