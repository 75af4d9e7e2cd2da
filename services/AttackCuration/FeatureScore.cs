namespace ClipSae.AttackCuration;

/// <summary>How much a latent reads text (science, section 4).</summary>
/// <param name="Feature">Index of the latent.</param>
/// <param name="WordMinusClean">Standardised paired difference of its activation, word − clean.</param>
/// <param name="WordMinusControl">The same, word − unreadable control.</param>
/// <param name="Auroc">How well it tells pictures with the word from clean ones.</param>
public sealed record FeatureScore(int Feature, double WordMinusClean, double WordMinusControl, double Auroc)
{
    /// <summary>High only where both differences are: a feature of plates and ink has a small word − control, one of the picture a small word − clean.</summary>
    public double Salience => Math.Min(WordMinusClean, WordMinusControl);
}
