namespace ClipSae.Results.Autoencoders;

/// <summary>A feature of an autoencoder.</summary>
/// <param name="Feature">Its index.</param>
/// <param name="Density">Share of rows that it fires on.</param>
/// <param name="MeanActivation">Mean activation where it fires.</param>
/// <param name="Monosemanticity">How alike the images are that it fires on; null where it is not known.</param>
/// <param name="Name">Words that describe it; null when there are none.</param>
/// <param name="TopImages">Images that it fires on most.</param>
public sealed record FeatureStatistics(
    int Feature,
    double Density,
    double MeanActivation,
    double? Monosemanticity,
    string? Name,
    IReadOnlyList<TopImage> TopImages
);
