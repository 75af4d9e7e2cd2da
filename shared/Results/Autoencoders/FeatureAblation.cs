using ClipSae.Results.Curation;

namespace ClipSae.Results.Autoencoders;

/// <summary>What switching one feature off does in the base, next to a random feature that fires as often.</summary>
/// <param name="Pairs">Attacks of the run that were looked at, each with the picture that it was printed on.</param>
/// <param name="Before">Nothing ablated.</param>
/// <param name="Ablated">The feature ablated.</param>
/// <param name="Changed">Decisions, of two for each pair, that are others then.</param>
/// <param name="Twin">The random feature; null where the autoencoder has no other.</param>
/// <param name="TwinAblated">It ablated instead.</param>
/// <param name="TwinChanged">Decisions that are others then.</param>
public sealed record FeatureAblation(
    int Pairs,
    AttackAccuracy Before,
    AttackAccuracy Ablated,
    int Changed,
    int? Twin,
    AttackAccuracy? TwinAblated,
    int? TwinChanged
);
