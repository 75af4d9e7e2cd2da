using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;

namespace ClipSae.WeightConversion.Weights;

/// <summary>The adapter that a checkpoint of fine-tuning says it was trained with.</summary>
internal static class TrainedAdapter
{
    private const string Parameters = "clipsae_parameters";

    /// <param name="metadata">Texts of the checkpoint.</param>
    /// <returns>Null where it says none.</returns>
    public static LowRankAdapter? Of(IReadOnlyDictionary<string, string> metadata)
    {
        try
        {
            return
                metadata.TryGetValue(Parameters, out var text)
                && JsonNode.Parse(text) is JsonObject parameters
                && parameters["adapter"] is JsonObject adapter
                && adapter["rank"]?.GetValue<int>() is >= 1 and <= LowRankAdapter.MaxRank and { } rank
                && adapter["alpha"]?.GetValue<double>() is > 0 and { } alpha
                && adapter["targets"]?.AsArray() is { } targets
                && !targets.Contains(null)
                ? new LowRankAdapter(rank, alpha, [.. targets.Select(target => target!.GetValue<string>())])
                : null;
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
