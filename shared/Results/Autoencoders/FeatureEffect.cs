namespace ClipSae.Results.Autoencoders;

/// <summary>What a feature does in the base, and what writes it.</summary>
/// <param name="Feature">Its number.</param>
/// <param name="Ablation">What switching it off does; null where the run curated no attacks.</param>
/// <param name="Neurons">Neurons whose output is most along its decoder direction, highest first; null where the hook point is none that
/// neurons write to.</param>
public sealed record FeatureEffect(int Feature, FeatureAblation? Ablation, IReadOnlyList<WritingNeuron>? Neurons);
