using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>Every figure of every model on every set of objects and words, and the accuracy of each class.</summary>
internal static class ModelTables
{
    private const int MostClassColumns = 6;

    // Title, path of the figure in a set's scores, whether it is a share of images.
    private static readonly (string Title, string[] Path, bool Share)[] Answers =
    [
        ("Accuracy", ["accuracy"], true), ("Mean of classes", ["meanPerClass"], true), ("Attack success rate", ["attackSuccess"], true), ("Object beats word", ["binaryAccuracy"], true),
        ("Mean margin", ["binaryMargin"], false),
    ];

    private static readonly (string Title, string[] Path, bool Share)[] Others =
    [
        ("Linear probe", ["probe", "accuracy"], true), ("Calibration error", ["calibration", "expectedError"], true),
        ("Log loss", ["calibration", "logLoss"], false), ("Brier score", ["calibration", "brier"], false), ("Modality gap", ["modalityGap"], false),
    ];

    public static Section? Render(ReportData data)
    {
        if (EvaluationView.Of(data) is not { Sets.Count: > 0 } view)
        {
            return null;
        }

        var bins = view.Base.At("sets", view.Sets[0].Text("name")!).Number("calibration", "bins");
        return new Section(
            "models",
            IsRepeated(view) ? "Calibration, modality gap, classes" : "Model by model",
            Html.Of($"Calibration is that of the probabilities at each model’s own temperature{(bins is null ? "" : $", in {Written.Count(bins)} bins")}; Brier’s score runs from 0 to 2; the modality gap is the distance between mean image and mean text of the right class.{Probe(view)}"),
            Html.Of($"<div class=\"models\">{view.Sets.Select(set => Block(view, set))}</div>"));
    }

    // Two models are told before and after; what is said there is not said again.
    private static bool IsRepeated(EvaluationView view) => view is { Tuned: not null, Told.Count: 2 };

    private static Html Block(EvaluationView view, JsonNode set)
    {
        var name = set.Text("name")!;
        var columns = (IsRepeated(view) ? Others : [.. Answers, .. Others]).Where(column => view.Told.Any(model => model.At(["sets", name, .. column.Path]) is not null)).ToArray();
        var isCompared = view.Told.Count > 1 && !IsRepeated(view);
        var rows = view.Told.Select(model => Html.Of($"""
            <tr><th scope="row">{model.Text("name")}</th>{columns.Select(column => Cell(Figure.Of(model.At(["sets", name, .. column.Path])), column.Share))}
            {(isCompared ? Html.Of($"<td class=\"n\">{Written.Probability(model.Number("sets", name, "againstBase", "mcNemar", "pValue"))}</td>") : Html.Empty)}</tr>
            """));
        var table = Html.Of($"""
            <table class="compact"><thead><tr><th>Model</th>{columns.Select(column => Html.Of($"<th class=\"n\">{column.Title}</th>"))}{(isCompared ? Html.Of($"<th class=\"n\">McNemar p</th>") : Html.Empty)}</tr></thead><tbody>{rows}</tbody></table>
            """);
        return Html.Of($"""
            <h3>{view.Title(name)} <small>{Written.Count(set.Number("images"))} images · {name}</small></h3>
            {Section.Wide(view.Title(name), table)}{PerClass(view, name)}
            """);
    }

    private static Html Cell(Figure? figure, bool share) => share || figure is null
        ? Figure.Cell(figure)
        : Html.Of($"<td class=\"n\"><span class=\"v\">{Written.Number(figure.Value)}</span><span class=\"ci\">{Written.Number(figure.Low)} to {Written.Number(figure.High)}</span></td>");

    private static Html PerClass(EvaluationView view, string set)
    {
        var told = view.Told.Take(MostClassColumns).ToArray();
        var classes = told[0].Items("sets", set, "perClass").ToArray();
        if (classes.Length < 2)
        {
            return Html.Empty;
        }

        var byModel = told.Select(model => model.Items("sets", set, "perClass").ToDictionary(score => score.Text("class") ?? "", score => Figure.Of(score.At("accuracy")))).ToArray();
        var rows = classes.Select(score => Html.Of($"""
            <tr><th scope="row">{score.Text("class")}</th><td class="n">{Written.Count(score.Number("images"))}</td>{byModel.Select(model => Figure.Cell(model.GetValueOrDefault(score.Text("class") ?? "")))}</tr>
            """));
        return Html.Of($"""
            <details><summary>Accuracy of each class</summary>
            {Section.Wide($"{view.Title(set)}, by class", Html.Of($"<table class=\"compact\"><thead><tr><th>Class</th><th class=\"n\">Images</th>{told.Select(model => Html.Of($"<th class=\"n\">{model.Text("name")}</th>"))}</tr></thead><tbody>{rows}</tbody></table>"))}</details>
            """);
    }

    private static Html Probe(EvaluationView view)
    {
        if (view.Root.At("probe") is not { } probe)
        {
            return Html.Empty;
        }

        return Html.Of($" The linear probe is logistic regression on features of length 1, C = {Written.Number(probe.Number("inverseRegularization"))}, trained on {Written.Percent(probe.Number("trainShare"))} of each class and tested on the rest.");
    }
}
