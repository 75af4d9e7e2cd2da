namespace ClipSae.Sae.Quality;

/// <summary>Quality of an autoencoder on held-out rows, in the input's own space.</summary>
/// <param name="Rows">Rows measured.</param>
/// <param name="Fvu">Fraction of variance unexplained, Σ‖x − x̂‖² / Σ‖x − x̄‖².</param>
/// <param name="ExplainedVariance">1 − Var(x − x̂)/Var(x), summed over features; above 1 − FVU where the reconstruction is off by a
/// constant.</param>
/// <param name="Cosine">Mean cosine of x and x̂.</param>
/// <param name="L0">Mean number of active latents a row.</param>
/// <param name="Dead">Share of latents that fire on no row.</param>
/// <param name="Dense">Share of latents that fire on more than a tenth of the rows.</param>
/// <param name="DensityHistogram">Latents by decade of density: none, below 10⁻⁴, to 10⁻³, to 10⁻², to 10⁻¹, above.</param>
/// <param name="Monosemanticity">Mean over latents of their score; null without image embeddings.</param>
/// <param name="MonosemanticityBaseline">The score of a latent that fires on all images alike: what the mean has to be compared
/// with.</param>
public sealed record SaeMetrics(
    long Rows,
    double Fvu,
    double ExplainedVariance,
    double Cosine,
    double L0,
    double Dead,
    double Dense,
    IReadOnlyList<int> DensityHistogram,
    double? Monosemanticity,
    double? MonosemanticityBaseline
);
