using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>Retrieval on sets of captioned images, in both directions.</summary>
internal static class RetrievalTables
{
    private static readonly (string Title, Func<RecallScores, Interval> Metric)[] Cuts =
    [
        ("R@1", recall => recall.At1),
        ("R@5", recall => recall.At5),
        ("R@10", recall => recall.At10),
    ];
    private static readonly Func<RetrievalScores, RecallScores>[] Directions = [scores => scores.ImageToText, scores => scores.TextToImage];

    public static Section? Render(ReportData data) =>
        EvaluationView.Of(data) is not { RetrievalSets.Count: > 0 } view
            ? null
            : new Section(
                "retrieval",
                "Retrieval",
                Html.Of(
                    $"Recall: the share of images with one of their own captions among the first 1, 5 and 10 of all captions, "
                        + $"and of captions with their image among the first of all images. "
                        + $"A wrong answer as near as the right one counts against it."
                ),
                Html.Join(view.RetrievalSets.Select(set => Block(view, set)))
            );

    private static Html Block(EvaluationView view, SetSummary set)
    {
        var name = set.Name;
        var cut = view.Base.Retrieval.GetValueOrDefault(name)?.CutCaptions ?? 0;
        var table = Html.Of(
            $"""
            <table class="compact"><thead><tr><th></th><th class="n over" colspan="3">Image to caption</th><th class="n over" colspan="3">Caption to image</th><th></th><th class="n over" colspan="2">R@1 less base’s</th><th></th></tr>
            <tr><th>Model</th>{Directions.SelectMany(_ =>
                Cuts.Select(at => Html.Of($"<th class=\"n\">{at.Title}</th>"))
            )}<th class="n">Modality gap</th><th class="n">image</th><th class="n">caption</th><th class="n">McNemar p</th></tr></thead>
            <tbody>{view.Told.Select(model => Row(model, name))}</tbody></table>
            """
        );
        return Html.Of(
            $"""
            <h3>{name} <small>{Written.Count(set.Images)} images, {Written.Count(set.Captions)} different captions{(
                cut > 0 ? $", {Written.Count(cut)} of them longer than the model’s context and cut" : ""
            )}</small></h3>
            {Html.Wide($"Retrieval on {name}", table)}
            """
        );
    }

    private static Html Row(ModelScores model, string set)
    {
        var scores = model.Retrieval.GetValueOrDefault(set);
        return Html.Of(
            $"""
            <tr><th scope="row">{model.Name}</th>{Directions.SelectMany(direction =>
                Cuts.Select(at => IntervalCell.Of(scores is null ? null : at.Metric(direction(scores))))
            )}
            <td class="n">{Written.Number(scores?.ModalityGap.Value)}</td>{Gain(scores?.ImageToTextGain)}{Gain(
                scores?.TextToImageGain
            )}<td class="n">{Written.Probability(scores?.McNemar?.PValue)}</td></tr>
            """
        );
    }

    private static Html Gain(Interval? gain) =>
        Html.Of($"<td class=\"n\">{(gain is null ? Html.Empty : IntervalCell.Difference(gain))}</td>");
}
