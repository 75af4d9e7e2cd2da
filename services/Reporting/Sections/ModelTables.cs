using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>Every metric of every model on every set of objects and words, and the accuracy of each class.</summary>
internal static class ModelTables
{
    private const int MaxClassColumns = 6;

    // Title, the metric of a set's scores, whether it is a share of images.
    private static readonly (string Title, Func<SetScores, Interval?> Metric, bool Share)[] Answers =
    [
        ("Accuracy", scores => scores.Accuracy, true),
        ("Mean of classes", scores => scores.MeanPerClass, true),
        ("Attack success rate", scores => scores.AttackSuccess, true),
        ("Object beats word", scores => scores.BinaryAccuracy, true),
        ("Mean margin", scores => scores.BinaryMargin, false),
    ];

    private static readonly (string Title, Func<SetScores, Interval?> Metric, bool Share)[] Others =
    [
        ("Linear probe", scores => scores.Probe?.Accuracy, true),
        ("Calibration error", scores => scores.Calibration.ExpectedError, true),
        ("Log loss", scores => scores.Calibration.LogLoss, false),
        ("Brier score", scores => scores.Calibration.Brier, false),
        ("Modality gap", scores => scores.ModalityGap, false),
    ];

    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data) is not { Sets.Count: > 0 } view)
        {
            return null;
        }

        var bins = EvaluationView.Scores(view.Base, view.Sets[0].Name)?.Calibration.Bins;
        return new Section(
            "models",
            IsRepeated(view) ? "Calibration, modality gap, classes" : "Model by model",
            Html.Of(
                $"Calibration is that of the probabilities at each model’s own "
                    + $"temperature{(bins is null ? "" : $", in {Written.Count(bins)} bins")}; Brier’s score runs from 0 to 2; "
                    + $"the modality gap is the distance between mean image and mean text of the right class.{Probe(view)}"
            ),
            Html.Of($"<div class=\"models\">{view.Sets.Select(set => Block(view, set))}</div>")
        );
    }

    // Two models are reported before and after; what is said there is not said again.
    private static bool IsRepeated(EvaluationView view) => view is { Tuned: not null, Told.Count: 2 };

    private static Html Block(EvaluationView view, SetSummary set)
    {
        var name = set.Name;
        var columns = (IsRepeated(view) ? Others : [.. Answers, .. Others])
            .Where(column => view.Told.Any(model => EvaluationView.Scores(model, name) is { } scores && column.Metric(scores) is not null))
            .ToArray();
        var isCompared = view.Told.Count > 1 && !IsRepeated(view);
        var rows = Html.Each(view.Told, model =>
            $"""
                <tr><th scope="row">{model.Name}</th>{columns.Select(column =>
                    Cell(EvaluationView.Scores(model, name) is { } scores ? column.Metric(scores) : null, column.Share)
                )}
                {(
                    isCompared
                        ? Html.Of(
                            $"<td class=\"n\">{Written.Probability(EvaluationView.Scores(model, name)?.AgainstBase?.McNemar.PValue)}</td>"
                        )
                        : Html.Empty
                )}</tr>
                """
        );
        var table = Html.Of(
            $"""
            <table class="compact"><thead><tr><th>Model</th>{columns.Select(column => Html.Of($"<th class=\"n\">{column.Title}</th>"))}{(
                isCompared ? Html.Of($"<th class=\"n\">McNemar p</th>") : Html.Empty
            )}</tr></thead><tbody>{rows}</tbody></table>
            """
        );
        return Html.Of(
            $"""
            <h3>{view.Title(name)} <small>{Written.Count(set.Images)} images · {name}</small></h3>
            {Html.Wide(view.Title(name), table)}{PerClass(view, name)}
            """
        );
    }

    private static Html Cell(Interval? metric, bool share) =>
        share || metric is null
            ? IntervalCell.Of(metric)
            : Html.Of(
                $"<td class=\"n\">"
                    + $"{IntervalCell.Text(Written.Number(metric.Value), $"{Written.Number(metric.Low)} to {Written.Number(metric.High)}")}"
                    + $"</td>"
            );

    private static Html PerClass(EvaluationView view, string set)
    {
        var told = view.Told.Take(MaxClassColumns).ToArray();
        var classes = EvaluationView.Scores(told[0], set)?.PerClass ?? [];
        if (classes.Count < 2)
        {
            return Html.Empty;
        }

        var byModel = told.Select(model =>
                (EvaluationView.Scores(model, set)?.PerClass ?? []).ToDictionary(
                    score => score.Class,
                    score => score.Accuracy,
                    StringComparer.Ordinal
                )
            )
            .ToArray();
        var rows = Html.Each(classes, score =>
            $"""
                <tr><th scope="row">{score.Class}</th><td class="n">{Written.Count(score.Images)}</td>{byModel.Select(model =>
                    IntervalCell.Of(model.GetValueOrDefault(score.Class))
                )}</tr>
                """
        );
        return Html.Of(
            $"""
            <details><summary>Accuracy of each class</summary>
            {Html.Wide(
                $"{view.Title(set)}, by class",
                Html.Of(
                    $"<table class=\"compact\"><thead><tr><th>Class</th><th class=\"n\">Images</th>{told.Select(model => Html.Of($"<th class=\"n\">{model.Name}</th>"))}</tr></thead><tbody>{rows}</tbody></table>"
                )
            )}</details>
            """
        );
    }

    private static Html Probe(EvaluationView view) =>
        view.Results.Probe is not { } probe
            ? Html.Empty
            : Html.Of(
                $" The linear probe is logistic regression on features of length 1, "
                    + $"C = {Written.Number(probe.InverseRegularization)}, "
                    + $"trained on {Written.Percent(probe.TrainShare)} of each class and tested on the rest."
            );
}
