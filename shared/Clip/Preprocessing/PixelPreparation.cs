using ClipSae.Imaging.Pixels;

namespace ClipSae.Clip.Preprocessing;

/// <summary>
/// Makes a decoded picture, or the part of it that was decoded, a model's input: <see cref="Preprocessor"/> has two such, to floats and to
/// bytes.
/// </summary>
/// <param name="source">Pixels of the part [part.Height, part.Width, bytes of a pixel].</param>
/// <param name="mode">What they are.</param>
/// <param name="part">Where the pixels are in the whole picture.</param>
/// <param name="width">Width of the whole picture.</param>
/// <param name="height">Height of the whole picture.</param>
/// <param name="preparation">What the model takes.</param>
/// <param name="pixels">Result, 3 · resolution · resolution values.</param>
public delegate void PixelPreparation<T>(
    ReadOnlySpan<byte> source,
    PixelMode mode,
    ImageRegion part,
    int width,
    int height,
    ImagePreparation preparation,
    Span<T> pixels
);
