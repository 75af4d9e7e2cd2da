using ClipSae.Imaging.Pixels;
using SkiaSharp;

namespace ClipSae.Imaging.Decoding;

/// <summary>Writes pictures without loss; the same pixels give the same bytes.</summary>
public static class PngEncoder
{
    private static readonly SKPngEncoderOptions Quick = new(SKPngEncoderFilterFlags.Sub, 3);

    public static byte[] Encode(RgbImage image)
    {
        using var bitmap = PixelFormat.ToBitmap(image);
        return Encode(bitmap);
    }

    public static byte[] Encode(SKBitmap bitmap)
    {
        using var pixels = bitmap.PeekPixels();
        using var data = pixels.Encode(Quick);
        return data?.ToArray() ?? throw new InvalidOperationException("The picture could not be encoded.");
    }
}
