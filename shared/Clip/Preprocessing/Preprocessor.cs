using System.Buffers;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Preprocessing;

/// <summary>
/// A model's preprocessing as the original does it with Pillow and torchvision, to the bit before the last float rounding: resize, centre
/// crop, RGB, mean and deviation.
/// </summary>
public static class Preprocessor
{
    private const int Channels = 3;

    /// <param name="picture">A picture of which at least what <see cref="ImageResize.Needed"/> says is decoded.</param>
    /// <param name="preparation">What the model takes.</param>
    /// <param name="chw">Result [3, resolution, resolution].</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Preprocess(DecodedRegion picture, ImagePreparation preparation, Span<float> chw)
    {
        var resolution = preparation.Resolution;
        ArgumentOutOfRangeException.ThrowIfLessThan(resolution, 1);
        if (chw.Length != Channels * resolution * resolution)
        {
            throw new ArgumentException(
                $"A result at resolution {resolution} has {Channels * resolution * resolution} values, not {chw.Length}."
            );
        }

        var resized = ArrayPool<byte>.Shared.Rent(chw.Length);
        try
        {
            ImageResize.Resize(picture, preparation.Target, resized.AsSpan(0, chw.Length));
            for (var row = 0; row < resolution; row++)
            {
                Write(resized.AsSpan(row * resolution * Channels, resolution * Channels), chw, row, preparation);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(resized);
        }
    }

    /// <summary>The same for a whole picture.</summary>
    public static void Preprocess(DecodedImage picture, ImagePreparation preparation, Span<float> chw) =>
        Preprocess(DecodedRegion.Whole(picture), preparation, chw);

    /// <summary>Resize and centre crop alone: what is left of a picture before bytes become floats, a quarter of their size.</summary>
    /// <inheritdoc cref="ImageResize.Resize(DecodedRegion, ResizeTarget, Span{byte})"/>
    public static void Resize(DecodedRegion picture, ImagePreparation preparation, Span<byte> hwc) =>
        ImageResize.Resize(picture, preparation.Target, hwc);

    private static void Write(ReadOnlySpan<byte> line, Span<float> chw, int row, ImagePreparation preparation)
    {
        var resolution = preparation.Resolution;
        var levels = preparation.Normalization.Levels;
        var plane = resolution * resolution;
        var red = chw.Slice(row * resolution, resolution);
        var green = chw.Slice(plane + row * resolution, resolution);
        var blue = chw.Slice(2 * plane + row * resolution, resolution);
        var reds = levels[..256];
        var greens = levels.Slice(256, 256);
        var blues = levels.Slice(512, 256);
        for (int column = 0, from = 0; column < red.Length; column++, from += Channels)
        {
            red[column] = reds[line[from]];
            green[column] = greens[line[from + 1]];
            blue[column] = blues[line[from + 2]];
        }
    }
}
