namespace ClipSae.Results.Curation;

/// <summary>Zero-shot accuracy on curation's pairs, as it is or with something ablated; fractions.</summary>
/// <param name="Clean">Share of clean pictures whose class wins.</param>
/// <param name="Attacked">The same of the pictures with the word.</param>
/// <param name="AttackSuccess">Share of them on which the printed word wins.</param>
public sealed record AttackAccuracy(double Clean, double Attacked, double AttackSuccess);
