using System.Text.Json.Serialization;

namespace ClipSae.Results.Autoencoders;

/// <summary>An autoencoder and its features.</summary>
/// <param name="Hook">Hook point that it reads.</param>
/// <param name="Metrics">Quality on held-out rows, and how it was trained.</param>
/// <param name="DensityHistogram">Features by how often they fire.</param>
/// <param name="Features">The features that fire.</param>
public sealed record SaeStatistics(
    string Hook,
    [property: JsonPropertyName("figures")] AutoencoderMetrics Metrics,
    IReadOnlyList<int> DensityHistogram,
    IReadOnlyList<FeatureStatistics> Features
);
