using ClipSae.Imaging.Decoding;
using SkiaSharp;

namespace ClipSae.Pages;

/// <summary>Pictures small enough for a page.</summary>
public static class Thumbnail
{
    private const int SmallFile = 12 << 10;
    private const int JpegQuality = 84;

    /// <summary>A data URI, or null where the bytes are no readable picture.</summary>
    /// <param name="side">Longest side, pixels.</param>
    public static string? Of(ReadOnlyMemory<byte> encoded, int side) =>
        Encode(encoded, side) is var (type, content) ? $"data:{type};base64,{Convert.ToBase64String(content.Span)}" : null;

    /// <summary>The media type and bytes of a small picture, or null where the given bytes are no readable picture.</summary>
    /// <param name="side">Longest side, pixels.</param>
    public static (string Type, ReadOnlyMemory<byte> Content)? Encode(ReadOnlyMemory<byte> encoded, int side)
    {
        if (!ImageDecoder.TryReadSize(encoded.Span, null, out var size, out _))
        {
            return null;
        }

        // What is small already stays as it is: a second compression would only blur it.
        if (encoded.Length <= SmallFile && Math.Max(size.Width, size.Height) <= 2 * side && TypeOf(encoded.Span) is { } type)
        {
            return (type, encoded);
        }

        if (!ImageDecoder.TryDecode(encoded, null, out var image, out _))
        {
            return null;
        }

        using var full = SKBitmap.Decode(PngEncoder.Encode(image));
        var scale = Math.Min(1.0, (double)side / Math.Max(size.Width, size.Height));
        var target = new SKImageInfo(Math.Max(1, (int)(size.Width * scale)), Math.Max(1, (int)(size.Height * scale)));
        using var small = full.Resize(target, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        using var data = small.Encode(SKEncodedImageFormat.Jpeg, JpegQuality);
        return ("image/jpeg", data.ToArray());
    }

    private static string? TypeOf(ReadOnlySpan<byte> encoded) =>
        encoded switch
        {
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => "image/png",
            [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
            _ => null,
        };
}
