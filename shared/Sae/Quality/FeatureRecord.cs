namespace ClipSae.Sae.Quality;

/// <summary>What one latent does on held-out rows.</summary>
/// <param name="Feature">Its number.</param>
/// <param name="Density">Share of rows on which it fires.</param>
/// <param name="MeanActivation">Mean over the rows on which it fires; 0 if there are none.</param>
/// <param name="Monosemanticity">
/// Mean cosine of the embeddings of pairs of images, weighted by the product of its activations on them (arXiv 2504.02821); null for fewer
/// than two images.
/// </param>
/// <param name="TopImages">The images on which it fires most, strongest first.</param>
public sealed record FeatureRecord(
    int Feature,
    double Density,
    double MeanActivation,
    double? Monosemanticity,
    IReadOnlyList<ImageActivation> TopImages
);
