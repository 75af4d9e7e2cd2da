using ClipSae.Pages;
using ClipSae.Reporting.Charts;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>Base and tuned on every set of objects and words, with intervals, paired differences and McNemar's test.</summary>
internal static class BeforeAfter
{
    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data) is not { Tuned: not null } view || view.Sets.Count == 0)
        {
            return null;
        }

        var table = Html.Of(
            $"""
            <table class="scores"><thead><tr><th>Set and figure</th><th class="n">Base{Name(view.Base)}</th><th class="n">Tuned{Name(
                view.Tuned
            )}</th><th class="n">Difference</th><th class="n">McNemar p</th>{IntervalTrack.Heading("")}</tr></thead>
            <tbody>{view.Sets.SelectMany(set => Rows(view, set))}</tbody></table>
            """
        );
        var summary = Html.Of(
            $"""
            <table class="compact"><thead><tr><th>Set</th><th class="n">Images</th><th class="n">Accuracy, base</th><th class="n">tuned</th><th class="n">Difference</th><th class="n">McNemar p</th><th class="n">Attack success, base</th><th class="n">tuned</th><th class="n">Difference</th></tr></thead>
            <tbody>{view.Sets.Select(set => Summary(view, set))}</tbody></table>
            """
        );
        return new Section(
            "before-after",
            "Before and after",
            Html.Of(
                $"Zero-shot with {Templates(view)}, choosing among the classes of each set, and among the printed words too, "
                    + $"if any. <span class=\"legend-inline\">"
                    + $"<b class=\"dot base\"></b> base <b class=\"dot tuned\"></b> tuned, lines are 95 % intervals</span>"
            ),
            Html.Of(
                $"{Html.Wide("Accuracy and attack success of base and tuned", summary)}<details>"
                    + $"<summary>Every figure of every set</summary>{Html.Wide("Scores of base and tuned", table)}</details>"
            )
        );
    }

    private static Html Summary(EvaluationView view, SetSummary set)
    {
        var (before, after) = (EvaluationView.Scores(view.Base, set.Name), EvaluationView.Scores(view.Tuned, set.Name));
        var versus = after?.AgainstBase;
        return Html.Of(
            $"""
            <tr><th scope="row">{view.Title(set.Name)}{(
                set.Protocol == Protocols.Words ? Html.Of($" <small>read as a word</small>") : Html.Empty
            )}</th><td class="n">{Written.Count(set.Images)}</td>
            {IntervalCell.Of(before?.Accuracy)}{IntervalCell.Of(after?.Accuracy)}<td class="n">{IntervalCell.Difference(
                versus?.Accuracy
            )}</td><td class="n">{Written.Probability(versus?.McNemar.PValue)}</td>
            {IntervalCell.Of(before?.AttackSuccess)}{IntervalCell.Of(after?.AttackSuccess)}<td class="n">{IntervalCell.Difference(
                versus?.AttackSuccess
            )}</td></tr>
            """
        );
    }

    private static IEnumerable<Html> Rows(EvaluationView view, SetSummary set)
    {
        var (name, versus) = (set.Name, EvaluationView.Scores(view.Tuned, set.Name)?.AgainstBase);
        var before = EvaluationView.Scores(view.Base, name);
        yield return Html.Of(
            $"<tr class=\"group\"><th colspan=\"6\" scope=\"rowgroup\">{view.Title(name)} <small>"
                + $"{Written.Count(set.Images)} images · {Choices(set)} · {name}</small></th></tr>"
        );
        yield return Row(
            view,
            name,
            set.Protocol == Protocols.Words ? "Word is read" : "Accuracy",
            scores => scores.Accuracy,
            versus?.Accuracy,
            versus?.McNemar
        );
        if (before is not null)
        {
            yield return Row(view, name, "Mean of the classes", scores => scores.MeanPerClass, null, null);
        }

        if (set.Protocol == Protocols.Attacked)
        {
            yield return Row(view, name, "Attack success rate", scores => scores.AttackSuccess, versus?.AttackSuccess, null);
        }

        if (before?.BinaryAccuracy is not null)
        {
            yield return Row(
                view,
                name,
                "Object beats word, two choices",
                scores => scores.BinaryAccuracy,
                versus?.BinaryAccuracy,
                versus?.BinaryMcNemar
            );
            yield return Margin(view, name);
        }
    }

    private static string Choices(SetSummary set)
    {
        var (classes, candidates) = (set.Classes, set.Candidates.Count);
        return candidates > classes
            ? $"{Written.Count(classes)} classes and {Written.Count(candidates - classes)} words"
            : $"{Written.Count(classes)} classes";
    }

    private static Html Row(
        EvaluationView view,
        string set,
        string title,
        Func<SetScores, Interval?> metric,
        Interval? change,
        McNemar? test
    )
    {
        Interval? Of(ModelScores? model) => EvaluationView.Scores(model, set) is { } scores ? metric(scores) : null;
        var (before, after) = (Of(view.Base), Of(view.Tuned));
        var difference = change is not null ? IntervalCell.Difference(change) : Html.Of($"{Written.Points(after?.Value - before?.Value)}");
        return Html.Of(
            $"""
            <tr><th scope="row">{title}</th>{IntervalCell.Of(before)}{IntervalCell.Of(
                after
            )}<td class="n">{difference}</td><td class="n">{Written.Probability(test?.PValue)}</td>
            <td class="plot">{IntervalTrack.Render(
                new("base", before?.Value, before?.Low, before?.High),
                new IntervalTrack.Mark("tuned", after?.Value, after?.Low, after?.High)
            )}</td></tr>
            """
        );
    }

    private static Html Margin(EvaluationView view, string set)
    {
        var (before, after) = (EvaluationView.Scores(view.Base, set)?.BinaryMargin, EvaluationView.Scores(view.Tuned, set)?.BinaryMargin);
        return before is null
            ? Html.Empty
            : Html.Of(
                $"<tr><th scope=\"row\">Mean margin, cosine of object less word</th>{Cell(before)}{Cell(after)}"
                    + $"<td class=\"n\">{(after is null ? Written.Missing : Written.Signed(after.Value - before.Value))}</td><td></td>"
                    + $"<td class=\"plot\"></td></tr>"
            );

        static Html Cell(Interval? metric)
        {
            var content = metric is null
                ? Html.Of($"{Written.Missing}")
                : IntervalCell.Text(Written.Signed(metric.Value), $"{Written.Signed(metric.Low)} to {Written.Signed(metric.High)}");
            return Html.Of($"<td class=\"n\">{content}</td>");
        }
    }

    private static Html Templates(EvaluationView view)
    {
        var templates = view.Results.Templates;
        return templates.Count == 1 ? Html.Of($"the prompt “{templates[0]}”") : Html.Of($"the mean of {templates.Count} prompts");
    }

    private static Html Name(ModelScores? model) =>
        model?.Name is { } name and not ("base" or "tuned") ? Html.Of($" <small>{name}</small>") : Html.Empty;
}
