using ClipSae.Results.Evaluation;

namespace ClipSae.Results.Tuning;

/// <summary>Base and result on print of one family, on pictures that fine-tuning did not see.</summary>
/// <param name="Family">Its name.</param>
/// <param name="HeldOut">Whether training never saw it.</param>
/// <param name="Images">Pictures.</param>
/// <param name="Before">Of the base.</param>
/// <param name="After">Of the result.</param>
public sealed record FamilyComparison(string Family, bool HeldOut, int Images, FamilyAccuracy Before, FamilyAccuracy After);
