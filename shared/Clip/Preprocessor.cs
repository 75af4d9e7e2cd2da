using System.Buffers;
using ClipSae.Datasets;

namespace ClipSae.Clip;

/// <summary>
/// A model's preprocessing as the original does it with Pillow and torchvision, to the bit before the last float rounding: short side (or both, where the picture is
/// squashed) to the model's resolution by an antialiased filter (8-bit result clipped and rounded between the passes) in the mode in which the file keeps its pixels,
/// centre crop, conversion to RGB, mean and deviation. Only the rows and columns that the crop keeps are computed.
/// </summary>
public static class Preprocessor
{
    private const int Channels = 3;

    /// <param name="rgb">Pixels [height, width, 3].</param>
    /// <param name="preparation">What the model takes.</param>
    /// <param name="chw">Result [3, resolution, resolution].</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Preprocess(ReadOnlySpan<byte> rgb, int width, int height, ImagePreparation preparation, Span<float> chw) =>
        Preprocess(rgb, new PixelWindow(0, 0, width, height), width, height, preparation, chw);

    /// <summary>The same for a picture of which only a part was decoded; the part must cover <see cref="Needed"/>.</summary>
    /// <param name="rgb">Pixels of the part [part.Height, part.Width, 3].</param>
    /// <param name="part">Where the pixels lie in the whole picture.</param>
    /// <param name="width">Width of the whole picture.</param>
    /// <param name="height">Height of the whole picture.</param>
    public static void Preprocess(ReadOnlySpan<byte> rgb, PixelWindow part, int width, int height, ImagePreparation preparation, Span<float> chw) =>
        Preprocess(rgb, PixelMode.Rgb, part, width, height, preparation, chw);

    /// <summary>The same for pixels of any mode.</summary>
    /// <param name="pixels">Pixels of the part [part.Height, part.Width, bytes of a pixel].</param>
    /// <param name="mode">What they are.</param>
    /// <param name="part">Where the pixels lie in the whole picture; it must cover <see cref="Needed"/>.</param>
    /// <param name="width">Width of the whole picture.</param>
    /// <param name="height">Height of the whole picture.</param>
    public static void Preprocess(ReadOnlySpan<byte> pixels, PixelMode mode, PixelWindow part, int width, int height, ImagePreparation preparation, Span<float> chw) =>
        Preprocess(pixels, mode, part, width, height, preparation, chw, vectors: true);

    /// <summary>The same for a whole picture.</summary>
    public static void Preprocess(Picture picture, ImagePreparation preparation, Span<float> chw) =>
        Preprocess(picture.Pixels.Span, picture.Mode, new PixelWindow(0, 0, picture.Width, picture.Height), picture.Width, picture.Height, preparation, chw);

    /// <summary>The part of a picture that the resized centre crop depends on.</summary>
    public static PixelWindow Needed(int width, int height, ImagePreparation preparation)
    {
        var (horizontal, vertical) = new ResizeGeometry(width, height, preparation).Axes();
        return new PixelWindow(horizontal.Begin, vertical.Begin, horizontal.End - horizontal.Begin, vertical.End - vertical.Begin);
    }

    internal static void Preprocess(
        ReadOnlySpan<byte> pixels, PixelMode mode, PixelWindow part, int width, int height, ImagePreparation preparation, Span<float> chw, bool vectors)
    {
        var resolution = preparation.Resolution;
        ArgumentOutOfRangeException.ThrowIfLessThan(resolution, 1);
        RequireLength(chw.Length, resolution);
        var resized = ArrayPool<byte>.Shared.Rent(resolution * resolution * Channels);
        try
        {
            Resize(pixels, mode, part, width, height, preparation, resized.AsSpan(0, resolution * resolution * Channels), vectors);
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

    /// <summary>Resize and centre crop alone: what is left of a picture before bytes become floats, a quarter of their size.</summary>
    /// <param name="rgb">Pixels of the part [part.Height, part.Width, 3].</param>
    /// <param name="part">Where the pixels lie in the whole picture; it must cover <see cref="Needed"/>.</param>
    /// <param name="width">Width of the whole picture.</param>
    /// <param name="height">Height of the whole picture.</param>
    /// <param name="hwc">Result [resolution, resolution, 3].</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Resize(ReadOnlySpan<byte> rgb, PixelWindow part, int width, int height, ImagePreparation preparation, Span<byte> hwc) =>
        Resize(rgb, PixelMode.Rgb, part, width, height, preparation, hwc);

    /// <summary>The same for pixels of any mode.</summary>
    /// <param name="pixels">Pixels of the part [part.Height, part.Width, bytes of a pixel].</param>
    /// <param name="mode">What they are.</param>
    /// <param name="part">Where the pixels lie in the whole picture; it must cover <see cref="Needed"/>.</param>
    /// <param name="width">Width of the whole picture.</param>
    /// <param name="height">Height of the whole picture.</param>
    /// <param name="hwc">Result [resolution, resolution, 3], RGB.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Resize(ReadOnlySpan<byte> pixels, PixelMode mode, PixelWindow part, int width, int height, ImagePreparation preparation, Span<byte> hwc) =>
        Resize(pixels, mode, part, width, height, preparation, hwc, vectors: true);

    private static void Resize(
        ReadOnlySpan<byte> pixels, PixelMode mode, PixelWindow part, int width, int height, ImagePreparation preparation, Span<byte> hwc, bool vectors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        RequireLength(hwc.Length, preparation.Resolution);
        if (pixels.Length != (long)part.Width * part.Height * Picture.BytesOf(mode))
        {
            throw new ArgumentException($"Pixels [{part.Height}, {part.Width}, {Picture.BytesOf(mode)}] have the wrong length.", nameof(pixels));
        }

        var geometry = new ResizeGeometry(width, height, preparation);
        if (mode == PixelMode.Rgb)
        {
            ResizeRgb(pixels, part, geometry, hwc, vectors);
        }
        else
        {
            new OwnModeResize(geometry, part, (rgb, result) => ResizeRgb(rgb, part, geometry, result, vectors)).Resize(pixels, mode, hwc);
        }
    }

    private static void ResizeRgb(ReadOnlySpan<byte> rgb, PixelWindow part, ResizeGeometry geometry, Span<byte> hwc, bool vectors)
    {
        var (resolution, (horizontal, vertical)) = (geometry.Resolution, geometry.Axes());
        if (part.Left > horizontal.Begin || part.Top > vertical.Begin
            || part.Left + part.Width < horizontal.End || part.Top + part.Height < vertical.End)
        {
            throw new ArgumentException($"The part {part} does not cover what {geometry} needs.", nameof(part));
        }

        var (stride, rows) = (resolution * Channels, vertical.End - vertical.Begin);
        var between = ArrayPool<byte>.Shared.Rent((rows * stride) + 1);
        try
        {
            for (var row = 0; row < rows; row++)
            {
                var source = rgb.Slice((vertical.Begin - part.Top + row) * part.Width * Channels, part.Width * Channels);
                // One byte more than the row: the vector code writes pixels four bytes at a time.
                BicubicResize.Horizontal(source, part.Left, horizontal, between.AsSpan(row * stride, stride + 1), vectors);
            }

            for (var output = 0; output < resolution; output++)
            {
                var weights = vertical.Weights.AsSpan(output * vertical.Taps, vertical.Lengths[output]);
                var first = (vertical.Starts[output] - vertical.Begin) * stride;
                BicubicResize.Vertical(
                    between.AsSpan(first, weights.Length * stride), stride, weights, hwc.Slice(output * stride, stride), vectors);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(between);
        }
    }

    private static void RequireLength(int length, int resolution)
    {
        if (length != Channels * resolution * resolution)
        {
            throw new ArgumentException($"A result at resolution {resolution} has {Channels * resolution * resolution} values, not {length}.");
        }
    }

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
