using System.Buffers;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Resizing;

/// <summary>
/// Pillow's antialiased resize and torchvision's centre crop, to the bit: an 8-bit result clipped and rounded between the passes, in the
/// mode in which the file keeps its pixels, then conversion to RGB. Only the rows and columns that the crop keeps are computed.
/// </summary>
public static class ImageResize
{
    private const int Channels = 3;

    /// <summary>The part of a picture that the resized centre crop depends on.</summary>
    public static ImageRegion Needed(int width, int height, ResizeTarget target)
    {
        var (horizontal, vertical) = new ResizeGeometry(width, height, target).Axes();
        return new ImageRegion(horizontal.Begin, vertical.Begin, horizontal.End - horizontal.Begin, vertical.End - vertical.Begin);
    }

    /// <param name="picture">A picture of which at least what is <see cref="Needed"/> is decoded.</param>
    /// <param name="target">What the picture becomes.</param>
    /// <param name="hwc">Result [resolution, resolution, 3], RGB.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    public static void Resize(DecodedRegion picture, ResizeTarget target, Span<byte> hwc) => Resize(picture, target, hwc, vectors: true);

    /// <summary>The same for a whole picture.</summary>
    public static void Resize(DecodedImage picture, ResizeTarget target, Span<byte> hwc) =>
        Resize(DecodedRegion.Whole(picture), target, hwc);

    /// <summary>The same for a whole RGB picture.</summary>
    public static void Resize(RgbImage image, ResizeTarget target, Span<byte> hwc) => Resize(DecodedImage.Of(image), target, hwc);

    internal static void Resize(DecodedRegion picture, ResizeTarget target, Span<byte> hwc, bool vectors)
    {
        var (mode, part) = (picture.Mode, picture.Region);
        ArgumentOutOfRangeException.ThrowIfLessThan(picture.Width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(picture.Height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(target.Resolution, 1);
        RequireLength(hwc.Length, target.Resolution);
        if (picture.Pixels.Length != (long)part.Width * part.Height * DecodedImage.BytesOf(mode))
        {
            throw new ArgumentException(
                $"Pixels [{part.Height}, {part.Width}, {DecodedImage.BytesOf(mode)}] have the wrong length.",
                nameof(picture)
            );
        }

        var geometry = new ResizeGeometry(picture.Width, picture.Height, target);
        if (mode == PixelMode.Rgb)
        {
            ResizeRgb(picture.Pixels, part, geometry, hwc, vectors);
        }
        else
        {
            new OwnModeResize(geometry, part, (rgb, result) => ResizeRgb(rgb, part, geometry, result, vectors)).Resize(
                picture.Pixels,
                mode,
                hwc
            );
        }
    }

    private static void ResizeRgb(ReadOnlySpan<byte> rgb, ImageRegion part, ResizeGeometry geometry, Span<byte> hwc, bool vectors)
    {
        var (resolution, (horizontal, vertical)) = (geometry.Resolution, geometry.Axes());
        if (part.Left > horizontal.Begin || part.Top > vertical.Begin || part.Right < horizontal.End || part.Bottom < vertical.End)
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
                    between.AsSpan(first, weights.Length * stride),
                    stride,
                    weights,
                    hwc.Slice(output * stride, stride),
                    vectors
                );
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
            throw new ArgumentException(
                $"A result at resolution {resolution} has {Channels * resolution * resolution} values, not {length}."
            );
        }
    }
}
