namespace ClipSae.Sae.Quality;

/// <summary>What held-out rows say about an autoencoder.</summary>
/// <param name="Metrics">Of the autoencoder as a whole.</param>
/// <param name="Features">Of each latent, by its number.</param>
public sealed record SaeQualityReport(SaeMetrics Metrics, IReadOnlyList<FeatureRecord> Features);
