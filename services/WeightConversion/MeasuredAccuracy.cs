using System.Text.Json.Nodes;

namespace ClipSae.WeightConversion;

/// <summary>What a model scored on the pictures that fine-tuning kept for validation, fractions from 0 to 1, for the model card.</summary>
/// <param name="Name">The model.</param>
/// <param name="Clean">Accuracy on clean pictures.</param>
/// <param name="Attacked">Accuracy under attack.</param>
/// <param name="Reading">Accuracy on words without a picture; null where it was not measured.</param>
public sealed record MeasuredAccuracy(string Name, double Clean, double Attacked, double? Reading)
{
    /// <summary>Base and result as fine-tuning's curves tell them; none where they do not.</summary>
    public static IReadOnlyList<MeasuredAccuracy> Of(JsonNode? curves) =>
        [.. new[] { Of("base", (curves?["validation"] as JsonArray)?.FirstOrDefault()), Of("tuned", curves?["best"]) }.OfType<MeasuredAccuracy>()];

    private static MeasuredAccuracy? Of(string name, JsonNode? validation) => Number(validation, "clean") is { } clean && Number(validation, "attacked") is { } attacked
        ? new MeasuredAccuracy(name, clean, attacked, Number(validation, "reading"))
        : null;

    private static double? Number(JsonNode? node, string name) => node?[name] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;
}
