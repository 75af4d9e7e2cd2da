namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>Images of a set ready for the model.</summary>
/// <param name="Levels">8-bit levels [images, resolution, resolution, 3]; valid until the next batch.</param>
/// <param name="Count">How many images.</param>
internal readonly record struct PixelBatch(ReadOnlyMemory<byte> Levels, int Count);
