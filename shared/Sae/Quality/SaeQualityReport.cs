namespace ClipSae.Sae.Quality;

/// <summary>What held-out rows say about an autoencoder.</summary>
/// <param name="Figures">Of the autoencoder as a whole.</param>
/// <param name="Features">Of each latent, by its number.</param>
public sealed record SaeQualityReport(SaeFigures Figures, IReadOnlyList<FeatureRecord> Features);
