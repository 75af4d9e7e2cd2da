namespace ClipSae.Results.Evaluation;

/// <summary>McNemar's exact test on paired answers: do two models err on different numbers of the same images?</summary>
/// <param name="BaseOnly">Images that only the base, or the other model compared with, gets right.</param>
/// <param name="TunedOnly">Images that only the tuned model gets right.</param>
/// <param name="PValue">Two-sided exact binomial probability of a split at least as uneven, if both were equally good.</param>
public sealed record McNemar(int BaseOnly, int TunedOnly, double PValue);
