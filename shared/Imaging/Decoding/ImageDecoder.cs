using System.Diagnostics.CodeAnalysis;
using ClipSae.Imaging.Jpeg;
using ClipSae.Imaging.Pixels;
using SkiaSharp;

namespace ClipSae.Imaging.Decoding;

/// <summary>
/// Decodes pictures (JPEG, PNG, WebP, GIF, BMP) as Pillow does: in the mode in which the file keeps them, or in RGB as its
/// <c>convert("RGB")</c> gives it: alpha is dropped, not composited, grey and palette are expanded. The orientation tag and colour profiles
/// are ignored, as openai/CLIP ignores them.
/// </summary>
public static class ImageDecoder
{
    [ThreadStatic]
    private static RegionDecoder? _decoder;

    /// <exception cref="UserErrorException">The bytes are no picture, are damaged, or exceed the limits.</exception>
    public static RgbImage Decode(ReadOnlyMemory<byte> encoded, DecodeLimits? limits = null) => Read(encoded, limits).ToRgb();

    /// <summary>Decodes in the file's own mode.</summary>
    /// <exception cref="UserErrorException">The bytes are no picture, are damaged, or exceed the limits.</exception>
    public static DecodedImage Read(ReadOnlyMemory<byte> encoded, DecodeLimits? limits = null) =>
        TryRead(encoded, limits, out var picture, out var problem)
            ? picture
            : throw new UserErrorException($"The picture cannot be read: {problem}. Replace it or remove it from the data set.");

    /// <summary>Decodes to RGB, or says in a few words why not.</summary>
    public static bool TryDecode(
        ReadOnlyMemory<byte> encoded,
        DecodeLimits? limits,
        [NotNullWhen(true)] out RgbImage? image,
        [NotNullWhen(false)] out string? problem
    )
    {
        image = TryRead(encoded, limits, out var picture, out problem) ? picture.ToRgb() : null;
        return image is not null;
    }

    /// <summary>Decodes in the file's own mode, or says in a few words why not.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> encoded,
        DecodeLimits? limits,
        [NotNullWhen(true)] out DecodedImage? picture,
        [NotNullWhen(false)] out string? problem
    )
    {
        // The region decoder's buffers are used again by the thread's next picture.
        _decoder ??= new RegionDecoder();
        if (
            JpegFrame.Parse(encoded.Span) is { } frame
            && (limits ?? DecodeLimits.Default).Allows(frame.Width, frame.Height, encoded.Length)
            && _decoder.TryDecode(encoded, static (width, height) => new ImageRegion(0, 0, width, height), out var region, out _)
        )
        {
            picture = new DecodedImage(region.Width, region.Height, region.Mode, region.Pixels.ToArray());
            problem = null;
            return true;
        }

        return TryReadGenerally(encoded, limits, out picture, out problem);
    }

    /// <summary>Whether decoding may give another mode than RGB; false where the header rules it out.</summary>
    public static bool MayKeepOtherMode(ReadOnlySpan<byte> encoded) =>
        encoded.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8])
            ? JpegFrame.Parse(encoded) is not { Mode: PixelMode.Rgb }
            : !encoded.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) || PngDecoder.Takes(encoded);

    /// <summary>Decodes whatever the format; SkiaSharp does it but for the kinds whose own mode it does not say.</summary>
    internal static bool TryReadGenerally(
        ReadOnlyMemory<byte> encoded,
        DecodeLimits? limits,
        [NotNullWhen(true)] out DecodedImage? picture,
        [NotNullWhen(false)] out string? problem
    )
    {
        picture = null;
        using var codec = Open(encoded.Span, limits ?? DecodeLimits.Default, out problem);
        if (codec is null)
        {
            problem ??= ImageKind.Explain(encoded.Span);
            return false;
        }

        if (PngDecoder.Takes(encoded.Span))
        {
            return PngDecoder.TryDecode(encoded.Span, out picture, out problem);
        }

        if (GifDecoder.Takes(encoded.Span))
        {
            return GifDecoder.TryDecode(encoded.Span, limits ?? DecodeLimits.Default, out picture, out problem);
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

        // A PNG that comes here may name one colour as transparent, which leaves it RGB or grey.
        var hasAlpha = codec.Info.AlphaType != SKAlphaType.Opaque && codec.EncodedFormat != SKEncodedImageFormat.Png;
        picture = hasAlpha
            ? new DecodedImage(info.Width, info.Height, PixelMode.Rgba, bitmap.GetPixelSpan().ToArray())
            : new DecodedImage(
                info.Width,
                info.Height,
                BitmapHeader.IsIndexed(encoded.Span) ? PixelMode.Indexed : PixelMode.Rgb,
                PixelFormat.DropAlpha(bitmap.GetPixelSpan(), info.Width * info.Height)
            );
        problem = null;
        return true;
    }

    /// <summary>Reads the size from the header alone and holds it against the limits; allocates no pixels.</summary>
    public static bool TryReadSize(
        ReadOnlySpan<byte> encoded,
        DecodeLimits? limits,
        out (int Width, int Height) size,
        [NotNullWhen(false)] out string? problem
    )
    {
        size = default;
        using var codec = Open(encoded, limits ?? DecodeLimits.Default, out problem);
        if (codec is null)
        {
            problem ??= ImageKind.Explain(encoded);
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
