namespace ClipSae.Results.Curation;

/// <summary>What curation's search found this model to read.</summary>
/// <param name="Families">By family of print.</param>
/// <param name="Words">By kind of word.</param>
public sealed record RedTeamMetrics(IReadOnlyList<FamilyAttacks> Families, IReadOnlyList<WordRate> Words);
