using ClipSae.Results.Autoencoders;

namespace ClipSae.Reporting.Data;

/// <summary>A trained autoencoder.</summary>
/// <param name="Name">Its name, which begins with the hook point that it reads.</param>
/// <param name="Metrics">Quality on held-out data.</param>
/// <param name="Features">The features that fire; none where they were not stored.</param>
public sealed record AutoencoderRecord(string Name, AutoencoderMetrics Metrics, IReadOnlyList<FeatureStatistics> Features);
