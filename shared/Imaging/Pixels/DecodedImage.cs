namespace ClipSae.Imaging.Pixels;

/// <summary>A decoded picture as its file keeps it.</summary>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
/// <param name="Mode">What the pixels are.</param>
/// <param name="Pixels">[height, width, bytes of a pixel], without padding.</param>
public sealed record DecodedImage(int Width, int Height, PixelMode Mode, ReadOnlyMemory<byte> Pixels)
{
    public static DecodedImage Of(RgbImage image) => new(image.Width, image.Height, PixelMode.Rgb, image.Rgb);

    /// <summary>Bytes of a pixel.</summary>
    public static int BytesOf(PixelMode mode) =>
        mode switch
        {
            PixelMode.Rgba or PixelMode.Cmyk => 4,
            PixelMode.Deep => 2,
            _ => 3,
        };

    /// <summary>The picture in RGB, as Pillow's <c>convert("RGB")</c> gives it: alpha is dropped, not composited.</summary>
    public RgbImage ToRgb()
    {
        if (
            Mode is PixelMode.Rgb or PixelMode.Indexed
            && System.Runtime.InteropServices.MemoryMarshal.TryGetArray(Pixels, out var whole)
            && whole.Array is { } array
            && whole.Offset == 0
            && whole.Count == array.Length
        )
        {
            return new RgbImage(Width, Height, array);
        }

        var rgb = GC.AllocateUninitializedArray<byte>(3 * Width * Height);
        Convert(Mode, Pixels.Span, rgb);
        return new RgbImage(Width, Height, rgb);
    }

    /// <summary>Converts pixels of any mode to RGB.</summary>
    /// <param name="pixels">[count, bytes of a pixel].</param>
    /// <param name="rgb">[count, 3].</param>
    public static void Convert(PixelMode mode, ReadOnlySpan<byte> pixels, Span<byte> rgb)
    {
        switch (mode)
        {
            case PixelMode.Rgba:
                for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
                {
                    pixels.Slice(from, 3).CopyTo(rgb[to..]);
                }

                break;
            case PixelMode.Cmyk:
                for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
                {
                    var white = 255 - pixels[from + 3];
                    rgb[to] = Ink(pixels[from], white);
                    rgb[to + 1] = Ink(pixels[from + 1], white);
                    rgb[to + 2] = Ink(pixels[from + 2], white);
                }

                break;
            case PixelMode.Deep:
                for (int from = 0, to = 0; to < rgb.Length; from += 2, to += 3)
                {
                    rgb[to] = rgb[to + 1] = rgb[to + 2] = pixels[from + 1] > 0 ? byte.MaxValue : pixels[from];
                }

                break;
            default:
                pixels.CopyTo(rgb);
                break;
        }
    }

    /// <summary>The product of two shares in units of 1/255, rounded: Pillow's MULDIV255.</summary>
    public static int Share(int value, int of)
    {
        var product = (value * of) + 128;
        return ((product >> 8) + product) >> 8;
    }

    private static byte Ink(int ink, int white) => (byte)Math.Clamp(white - Share(ink, white), 0, 255);
}
