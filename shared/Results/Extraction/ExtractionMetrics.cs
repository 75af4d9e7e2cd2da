using System.Text.Json.Serialization;

namespace ClipSae.Results.Extraction;

/// <summary>Metrics of a shard's extraction in its event.</summary>
/// <param name="Images">Images read.</param>
/// <param name="Unreadable">Images that could not be read.</param>
/// <param name="HookPoints">Size of the activations by hook point.</param>
public sealed record ExtractionMetrics(int Images, int Unreadable, IReadOnlyDictionary<string, ActivationShape> HookPoints)
{
    /// <summary>Smallest cosine of image embeddings to those of float32; null where that is the precision.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? CosineToFloat32 { get; init; }
}
