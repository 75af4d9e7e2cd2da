using ClipSae.Imaging.Pixels;

namespace ClipSae.Clip.Preprocessing;

/// <summary>
/// Makes a decoded picture, or the part of it that was decoded, a model's input: <see cref="Preprocessor"/> has two such, to floats and to
/// bytes.
/// </summary>
/// <param name="preparation">What the model takes.</param>
/// <param name="pixels">Result, 3 · resolution · resolution values.</param>
public delegate void PixelPreparation<T>(DecodedRegion picture, ImagePreparation preparation, Span<T> pixels);
