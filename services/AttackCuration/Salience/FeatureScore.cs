using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Salience;

/// <summary>How much a latent reads text (science, section 4).</summary>
/// <param name="Feature">Index of the latent.</param>
/// <param name="WordMinusClean">Standardised paired difference of its activation, word − clean.</param>
/// <param name="WordMinusControl">The same, word − unreadable control.</param>
/// <param name="Auroc">How well it distinguishes pictures with the word from clean ones.</param>
public sealed record FeatureScore(int Feature, double WordMinusClean, double WordMinusControl, double Auroc)
{
    /// <summary>
    /// High only where both differences are: a feature of plates and ink has a small word − control, one of the picture a small word −
    /// clean.
    /// </summary>
    public double Salience => Math.Min(WordMinusClean, WordMinusControl);

    /// <summary>
    /// Weights of features in a sum of their activations, float32 [features]: their salience, bounded, since it is infinite where all
    /// differences are equal.
    /// </summary>
    public static Tensor Weights(IReadOnlyList<FeatureScore> features) =>
        AlignedTensor.Of([.. features.Select(feature => (float)Math.Min(feature.Salience, 1e3))], features.Count);
}
