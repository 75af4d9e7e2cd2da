namespace ClipSae.Results.Curation;

/// <summary>How much a feature reads text.</summary>
/// <param name="Feature">Index of the feature.</param>
/// <param name="Salience">The smaller of the two differences.</param>
/// <param name="WordMinusClean">Standardised paired difference of its activation, word − clean.</param>
/// <param name="WordMinusControl">The same, word − unreadable control.</param>
/// <param name="Auroc">How well it separates pictures with the word from clean ones.</param>
public sealed record SalientFeature(int Feature, double Salience, double WordMinusClean, double WordMinusControl, double Auroc);
