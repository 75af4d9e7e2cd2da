using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>Retrieval on sets of captioned images, in both directions.</summary>
internal static class RetrievalTables
{
    private static readonly string[] Cuts = ["at1", "at5", "at10"];
    private static readonly string[] Directions = ["imageToText", "textToImage"];

    public static Section? Render(ReportData data) => EvaluationView.Of(data) is not { RetrievalSets.Count: > 0 } view ? null : new Section(
        "retrieval",
        "Retrieval",
        Html.Of($"Recall: the share of images with one of their own captions among the first 1, 5 and 10 of all captions, and of captions with their image among the first of all images. A wrong answer as near as the right one counts against it."),
        Html.Join(view.RetrievalSets.Select(set => Block(view, set))));

    private static Html Block(EvaluationView view, JsonNode set)
    {
        var name = set.Text("name")!;
        var cut = view.Base.Number("retrieval", name, "cutCaptions") ?? 0;
        var table = Html.Of($"""
            <table class="compact"><thead><tr><th></th><th class="n over" colspan="3">Image to caption</th><th class="n over" colspan="3">Caption to image</th><th></th><th class="n over" colspan="2">R@1 less base’s</th><th></th></tr>
            <tr><th>Model</th>{Directions.SelectMany(_ => Cuts.Select(at => Html.Of($"<th class=\"n\">R@{at[2..]}</th>")))}<th class="n">Modality gap</th><th class="n">image</th><th class="n">caption</th><th class="n">McNemar p</th></tr></thead>
            <tbody>{view.Told.Select(model => Row(model, name))}</tbody></table>
            """);
        return Html.Of($"""
            <h3>{name} <small>{Written.Count(set.Number("images"))} images, {Written.Count(set.Number("captions"))} different captions{(cut > 0 ? $", {Written.Count(cut)} of them longer than the model’s context and cut" : "")}</small></h3>
            {Section.Wide($"Retrieval on {name}", table)}
            """);
    }

    private static Html Row(JsonNode model, string set)
    {
        var scores = model.At("retrieval", set);
        return Html.Of($"""
            <tr><th scope="row">{model.Text("name")}</th>{Directions.SelectMany(direction => Cuts.Select(at => Figure.Cell(Figure.Of(scores.At(direction, at)))))}
            <td class="n">{Written.Number(scores.Number("modalityGap", "value"))}</td>{Gain(scores.At("imageToTextGain"))}{Gain(scores.At("textToImageGain"))}<td class="n">{Written.Probability(scores.Number("mcNemar", "pValue"))}</td></tr>
            """);
    }

    private static Html Gain(JsonNode? node) => Figure.Of(node) is { } gain
        ? Html.Of($"<td class=\"n\"><span class=\"v\">{Written.Points(gain.Value)}</span><span class=\"ci\">{Written.SignedRange(gain.Low, gain.High)}</span></td>")
        : Html.Of($"<td class=\"n\"></td>");
}
