namespace ClipSae.Results.Curation;

/// <summary>How often a kind of word fooled the model.</summary>
/// <param name="Words">The kind.</param>
/// <param name="Tried">Printed words.</param>
/// <param name="Fooled">Those that fooled it.</param>
public sealed record WordRate(string Words, int Tried, int Fooled);
