using System.Diagnostics.CodeAnalysis;
using ClipSae.Contracts;
using SkiaSharp;

namespace ClipSae.Datasets;

/// <summary>
/// Turns encoded pictures (JPEG, PNG, WebP, GIF, BMP) into RGB as Pillow's <c>convert("RGB")</c> does: alpha is dropped, not composited,
/// grey and palette are expanded, the orientation tag and colour profiles are ignored.
/// </summary>
public static class ImageDecoder
{
    [ThreadStatic]
    private static RegionDecoder? _decoder;

    /// <exception cref="UserErrorException">The bytes are no picture, are damaged, or exceed the limits.</exception>
    public static RgbImage Decode(ReadOnlyMemory<byte> encoded, DecodeLimits? limits = null) =>
        TryDecode(encoded, limits, out var image, out var problem)
            ? image
            : throw new UserErrorException($"The picture cannot be read: {problem}. Replace it or take it out of the data set.");

    /// <summary>Decodes, or says in a few words why not.</summary>
    public static bool TryDecode(
        ReadOnlyMemory<byte> encoded,
        DecodeLimits? limits,
        [NotNullWhen(true)] out RgbImage? image,
        [NotNullWhen(false)] out string? problem)
    {
        // The region decoder's buffers are used again by the thread's next picture.
        _decoder ??= new RegionDecoder();
        if (JpegFrame.Parse(encoded.Span) is { } frame && (limits ?? DecodeLimits.Default).Allows(frame.Width, frame.Height, encoded.Length)
            && _decoder.TryDecode(encoded, static (width, height) => new ImageRegion(0, 0, width, height), out var region, out _))
        {
            image = new RgbImage(region.Width, region.Height, region.Rgb.ToArray());
            problem = null;
            return true;
        }

        return TryDecodeGenerally(encoded, limits, out image, out problem);
    }

    /// <summary>Decodes with SkiaSharp, whatever the format.</summary>
    internal static bool TryDecodeGenerally(
        ReadOnlyMemory<byte> encoded,
        DecodeLimits? limits,
        [NotNullWhen(true)] out RgbImage? image,
        [NotNullWhen(false)] out string? problem)
    {
        image = null;
        using var codec = Open(encoded.Span, limits ?? DecodeLimits.Default, out problem);
        if (codec is null)
        {
            problem ??= PictureKind.Explain(encoded.Span);
            return false;
        }

        // Unpremultiplied: dropping alpha must leave the stored colours. No colour space: values are taken as stored.
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(info))
        {
            problem = $"no memory for {info.Width} × {info.Height} pixels";
            return false;
        }

        var result = codec.GetPixels(info, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
        {
            problem = result == SKCodecResult.IncompleteInput ? "truncated" : $"damaged ({result})";
            return false;
        }

        image = new RgbImage(info.Width, info.Height, PixelFormat.DropAlpha(bitmap.GetPixelSpan(), info.Width * info.Height));
        problem = null;
        return true;
    }

    /// <summary>Reads the size from the header alone and holds it against the limits; allocates no pixels.</summary>
    public static bool TryReadSize(
        ReadOnlySpan<byte> encoded, DecodeLimits? limits, out (int Width, int Height) size, [NotNullWhen(false)] out string? problem)
    {
        size = default;
        using var codec = Open(encoded, limits ?? DecodeLimits.Default, out problem);
        if (codec is null)
        {
            problem ??= PictureKind.Explain(encoded);
            return false;
        }

        size = (codec.Info.Width, codec.Info.Height);
        problem = null;
        return true;
    }

    private static SKCodec? Open(ReadOnlySpan<byte> encoded, DecodeLimits limits, out string? problem)
    {
        problem = null;
        if (encoded.Length == 0)
        {
            problem = "empty file";
            return null;
        }

        if (encoded.Length > limits.MaxFileBytes)
        {
            problem = $"file of {encoded.Length} bytes (limit {limits.MaxFileBytes})";
            return null;
        }

        using var data = SKData.CreateCopy(encoded);
        var codec = SKCodec.Create(data);
        if (codec is null)
        {
            return null;
        }

        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (!limits.Allows(width, height, encoded.Length))
        {
            problem = $"{width} × {height} pixels (limits: side {limits.MaxSide}, pixels {limits.MaxPixels})";
            codec.Dispose();
            return null;
        }

        return codec;
    }
}
