namespace ClipSae.Results.Curation;

/// <summary>The salient neurons silenced, and for comparison as many random neurons of the same layers.</summary>
/// <param name="Chosen">The salient ones at zero.</param>
/// <param name="Random">Controls, one entry a draw.</param>
public sealed record NeuronAblation(AttackAccuracy Chosen, IReadOnlyList<AttackAccuracy> Random);
