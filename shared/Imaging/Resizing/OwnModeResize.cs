using System.Buffers;
using System.Buffers.Binary;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Resizing;

/// <summary>
/// Resizes pictures that are kept neither as RGB nor as plain grey, and converts the result, as Pillow does: palettes by the nearest pixel,
/// alpha multiplied into the colours and taken out again, inks as inks, 16-bit grey in double precision.
/// </summary>
/// <param name="geometry">From what size to which.</param>
/// <param name="part">Where the pixels are in the whole picture.</param>
/// <param name="rgb">The resize of three channels of 8 bits.</param>
internal sealed class OwnModeResize(ResizeGeometry geometry, ImageRegion part, OwnModeResize.ThreeChannels rgb)
{
    public delegate void ThreeChannels(ReadOnlySpan<byte> pixels, Span<byte> result);

    private readonly int _kept = geometry.Resolution * geometry.Resolution;

    /// <param name="pixels">[part.Height, part.Width, bytes of a pixel].</param>
    /// <param name="hwc">[resolution, resolution, 3].</param>
    public void Resize(ReadOnlySpan<byte> pixels, PixelMode mode, Span<byte> hwc)
    {
        switch (mode)
        {
            case PixelMode.Rgba when geometry.IsCopy:
                Copy(pixels, mode, hwc);
                break;
            case PixelMode.Rgba:
                Four(pixels, mode, Premultiplied, hwc);
                break;
            case PixelMode.Cmyk:
                Four(pixels, mode, static (pixel, result) => pixel.CopyTo(result), hwc);
                break;
            case PixelMode.Deep:
                Deep(pixels, hwc);
                break;
            default:
                Nearest(pixels, hwc);
                break;
        }
    }

    private void Copy(ReadOnlySpan<byte> pixels, PixelMode mode, Span<byte> hwc)
    {
        var (side, bytes) = (geometry.Resolution, DecodedImage.BytesOf(mode));
        for (var row = 0; row < side; row++)
        {
            var first = ((geometry.Top + row - part.Top) * part.Width) + geometry.Left - part.Left;
            DecodedImage.Convert(mode, pixels.Slice(first * bytes, side * bytes), hwc.Slice(3 * row * side, 3 * side));
        }
    }

    private delegate void Preparation(ReadOnlySpan<byte> pixel, Span<byte> result);

    /// <summary>Channels do not touch each other in a resize: four are three, and one of another three.</summary>
    private void Four(ReadOnlySpan<byte> pixels, PixelMode mode, Preparation prepare, Span<byte> hwc)
    {
        var count = part.Width * part.Height;
        var (first, last) = (ArrayPool<byte>.Shared.Rent(3 * count), ArrayPool<byte>.Shared.Rent(3 * count));
        var (colours, fourth) = (ArrayPool<byte>.Shared.Rent(3 * _kept), ArrayPool<byte>.Shared.Rent(3 * _kept));
        var whole = ArrayPool<byte>.Shared.Rent(4 * _kept);
        try
        {
            Span<byte> pixel = stackalloc byte[4];
            for (var i = 0; i < count; i++)
            {
                prepare(pixels.Slice(4 * i, 4), pixel);
                pixel[..3].CopyTo(first.AsSpan(3 * i));
                last[3 * i] = last[3 * i + 1] = last[3 * i + 2] = pixel[3];
            }

            rgb(first.AsSpan(0, 3 * count), colours.AsSpan(0, 3 * _kept));
            rgb(last.AsSpan(0, 3 * count), fourth.AsSpan(0, 3 * _kept));
            for (var i = 0; i < _kept; i++)
            {
                colours.AsSpan(3 * i, 3).CopyTo(whole.AsSpan(4 * i));
                whole[4 * i + 3] = fourth[3 * i];
                if (mode == PixelMode.Rgba)
                {
                    Unmultiply(whole.AsSpan(4 * i, 4));
                }
            }

            DecodedImage.Convert(mode, whole.AsSpan(0, 4 * _kept), hwc);
        }
        finally
        {
            foreach (var rented in new[] { first, last, colours, fourth, whole })
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    // Pillow's rgba2rgbA.
    private static void Premultiplied(ReadOnlySpan<byte> pixel, Span<byte> result)
    {
        for (var channel = 0; channel < 3; channel++)
        {
            result[channel] = (byte)DecodedImage.Share(pixel[channel], pixel[3]);
        }

        result[3] = pixel[3];
    }

    // Pillow's rgbA2rgba.
    private static void Unmultiply(Span<byte> pixel)
    {
        for (var channel = 0; channel < 3 && pixel[3] is not (0 or 255); channel++)
        {
            pixel[channel] = (byte)Math.Min(255, 255 * pixel[channel] / pixel[3]);
        }
    }

    private void Nearest(ReadOnlySpan<byte> pixels, Span<byte> hwc)
    {
        var columns = Sources(geometry.Width, geometry.ResizedWidth, geometry.Left);
        var rows = Sources(geometry.Height, geometry.ResizedHeight, geometry.Top);
        for (var row = 0; row < rows.Length; row++)
        {
            for (var column = 0; column < columns.Length; column++)
            {
                pixels
                    .Slice(3 * (((rows[row] - part.Top) * part.Width) + columns[column] - part.Left), 3)
                    .CopyTo(hwc[(3 * ((row * columns.Length) + column))..]);
            }
        }
    }

    // Added up, not multiplied, as Pillow's ImagingScaleAffine does: the last bit of the sum decides between neighbours.
    private int[] Sources(int size, int resized, int first)
    {
        var sources = new int[geometry.Resolution];
        var step = (double)size / resized;
        var place = step * 0.5;
        for (var output = 0; output < first + sources.Length; output++, place += step)
        {
            if (output >= first)
            {
                sources[output - first] = Math.Min(size - 1, (int)place);
            }
        }

        return sources;
    }

    private void Deep(ReadOnlySpan<byte> pixels, Span<byte> hwc)
    {
        var side = geometry.Resolution;
        var horizontal = ResizeAxis.Exact(geometry.Width, geometry.ResizedWidth, geometry.Left, side, geometry.Target.Filter);
        var vertical = ResizeAxis.Exact(geometry.Height, geometry.ResizedHeight, geometry.Top, side, geometry.Target.Filter);
        var between = new int[part.Height * side];
        for (var row = 0; row < part.Height; row++)
        {
            for (var column = 0; column < side; column++)
            {
                var (start, shares) = horizontal[column];
                var sum = 0.0;
                for (var tap = 0; tap < shares.Length; tap++)
                {
                    sum +=
                        BinaryPrimitives.ReadUInt16LittleEndian(pixels[(2 * ((row * part.Width) + start + tap - part.Left))..])
                        * shares[tap];
                }

                between[(row * side) + column] = Rounded(sum);
            }
        }

        for (var row = 0; row < side; row++)
        {
            var (start, shares) = vertical[row];
            for (var column = 0; column < side; column++)
            {
                var sum = 0.0;
                for (var tap = 0; tap < shares.Length; tap++)
                {
                    sum += between[((start + tap - part.Top) * side) + column] * shares[tap];
                }

                var level = (byte)Math.Clamp(Rounded(sum), 0, 255);
                hwc.Slice(3 * ((row * side) + column), 3).Fill(level);
            }
        }
    }

    // Halves away from zero.
    private static int Rounded(double value) => (int)(value >= 0 ? Math.Floor(value + 0.5) : -Math.Floor(-value + 0.5));
}
