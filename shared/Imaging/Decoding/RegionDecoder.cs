using System.Diagnostics.CodeAnalysis;
using ClipSae.Imaging.Jpeg;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Decoding;

/// <summary>
/// Decodes the part of a picture that its consumer needs into memory that is used again for the next: what a feeder of a model wants, one
/// for each thread. Baseline JPEG, the bulk of photographs, is decoded here, bit for bit as Pillow does; other files by the general
/// decoder.
/// </summary>
public sealed class RegionDecoder(DecodeLimits? limits = null)
{
    private readonly JpegDecoder _jpeg = new();
    private byte[] _pixels = [];

    /// <param name="needed">From the picture's width and height, the part that is needed.</param>
    /// <param name="region">The pixels, valid until the next call.</param>
    /// <param name="problem">Why not, in a few words.</param>
    public bool TryDecode(
        ReadOnlyMemory<byte> encoded,
        Func<int, int, ImageRegion> needed,
        out DecodedRegion region,
        [NotNullWhen(false)] out string? problem
    )
    {
        region = default;
        if (
            JpegDecoder.IsSupported
            && JpegFrame.Parse(encoded.Span) is { } frame
            && (limits ?? DecodeLimits.Default).Allows(frame.Width, frame.Height, encoded.Length)
        )
        {
            var part = needed(frame.Width, frame.Height);
            if (!part.Within(frame.Width, frame.Height))
            {
                throw new ArgumentException($"{part} is outside {frame.Width} × {frame.Height} pixels.", nameof(needed));
            }

            var length = part.Width * part.Height * DecodedImage.BytesOf(frame.Mode);
            if (_pixels.Length < length)
            {
                _pixels = GC.AllocateUninitializedArray<byte>(length + length / 4);
            }

            if (_jpeg.TryDecode(encoded.Span, frame, part, _pixels))
            {
                region = new DecodedRegion(_pixels.AsSpan(0, length), frame.Mode, part, frame.Width, frame.Height);
                problem = null;
                return true;
            }
        }

        if (!ImageDecoder.TryReadGenerally(encoded, limits, out var picture, out problem))
        {
            return false;
        }

        region = new DecodedRegion(
            picture.Pixels.Span,
            picture.Mode,
            new ImageRegion(0, 0, picture.Width, picture.Height),
            picture.Width,
            picture.Height
        );
        return true;
    }
}
