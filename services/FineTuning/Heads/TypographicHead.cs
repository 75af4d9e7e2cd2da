namespace ClipSae.FineTuning.Heads;

/// <summary>An attention head of the vision tower and how much of the class token's attention it spends on print.</summary>
/// <param name="Layer">Its block, from 0.</param>
/// <param name="Index">Its place in the block, from 0.</param>
/// <param name="Score">Typographic attention score, 0 to 1; see <see cref="TypographicHeads"/>.</param>
public sealed record TypographicHead(int Layer, int Index, double Score);
