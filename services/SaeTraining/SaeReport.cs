using System.Text.Json.Nodes;
using ClipSae.Sae.Quality;

namespace ClipSae.SaeTraining;

/// <summary>Quality and features as the JSON that the report and the tables read.</summary>
internal static class SaeReport
{
    /// <summary><c>figures</c>: one number a key; shares as fractions.</summary>
    public static JsonObject Figures(SaeFigures figures)
    {
        var json = new JsonObject
        {
            ["fvu"] = Round(figures.Fvu),
            ["explainedVariance"] = Round(figures.ExplainedVariance),
            ["cosine"] = Round(figures.Cosine),
            ["l0"] = Round(figures.L0),
            ["dead"] = Round(figures.Dead),
            ["dense"] = Round(figures.Dense),
            ["heldOutRows"] = figures.Rows,
        };
        if (figures.Monosemanticity is { } score)
        {
            json["monosemanticity"] = Round(score);
            json["monosemanticityBaseline"] = Round(figures.MonosemanticityBaseline ?? 0);
        }

        return json;
    }

    /// <summary>One entry a latent that fires: density, mean activation, monosemanticity, name, strongest images with their activation.</summary>
    /// <param name="ids">Ids of the images by number.</param>
    /// <param name="names">Names by latent; null where there is none.</param>
    public static JsonArray Features(IReadOnlyList<FeatureRecord> features, IReadOnlyList<string> ids, IReadOnlyList<string?> names) =>
        new([.. features.Where(feature => feature.Density > 0).Select(feature => (JsonNode)new JsonObject
        {
            ["feature"] = feature.Feature,
            ["density"] = Round(feature.Density),
            ["meanActivation"] = Round(feature.MeanActivation),
            ["monosemanticity"] = feature.Monosemanticity is { } score ? Round(score) : null,
            ["name"] = names[feature.Feature],
            ["topImages"] = new JsonArray([.. feature.TopImages.Select(top =>
                (JsonNode)new JsonObject { ["id"] = ids[top.Image], ["activation"] = Round(top.Activation) })]),
        })]);

    private static double Round(double value) => Math.Round(value, 6);
}
