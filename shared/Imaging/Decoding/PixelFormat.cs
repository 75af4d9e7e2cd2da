using System.Runtime.InteropServices;
using ClipSae.Imaging.Pixels;
using SkiaSharp;

namespace ClipSae.Imaging.Decoding;

/// <summary>Conversions between RGB and the four-byte pixels that SkiaSharp works on.</summary>
public static class PixelFormat
{
    public static byte[] DropAlpha(ReadOnlySpan<byte> rgba, int pixels)
    {
        var rgb = GC.AllocateUninitializedArray<byte>(pixels * 3);
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            rgb[to] = rgba[from];
            rgb[to + 1] = rgba[from + 1];
            rgb[to + 2] = rgba[from + 2];
        }

        return rgb;
    }

    /// <summary>An opaque bitmap that can be drawn on; the caller disposes it.</summary>
    public static SKBitmap ToBitmap(RgbImage image)
    {
        var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
        var rgb = image.Rgb;
        for (int pixel = 0, from = 0; pixel < pixels.Length; pixel++, from += 3)
        {
            pixels[pixel] = 0xFF000000u | ((uint)rgb[from + 2] << 16) | ((uint)rgb[from + 1] << 8) | rgb[from];
        }

        return bitmap;
    }

    public static RgbImage ToRgb(SKBitmap bitmap) =>
        new(bitmap.Width, bitmap.Height, DropAlpha(bitmap.GetPixelSpan(), bitmap.Width * bitmap.Height));
}
