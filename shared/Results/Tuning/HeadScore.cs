namespace ClipSae.Results.Tuning;

/// <summary>An attention head of the vision tower that was taken out.</summary>
/// <param name="Layer">Its block, from 0.</param>
/// <param name="Head">Its place in the block, from 0.</param>
/// <param name="Score">How much of the class token's attention it spends on print, 0 to 1.</param>
public sealed record HeadScore(int Layer, int Head, double Score);
