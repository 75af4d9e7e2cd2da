namespace ClipSae.Results.Curation;

/// <summary>How often a family of print fooled the model.</summary>
/// <param name="Family">Its name.</param>
/// <param name="Tried">Printed words.</param>
/// <param name="Fooled">Those that fooled it.</param>
public sealed record ReadFamily(string Family, int Tried, int Fooled);
