namespace ClipSae.Imaging.Decoding;

/// <summary>What a picture may ask for before any memory is given to it: a small file can claim 40,000 × 40,000 pixels.</summary>
public sealed record DecodeLimits
{
    public static DecodeLimits Default { get; } = new();

    /// <summary>Longest side, pixels. Default 16,384: larger than any camera frame in the usual data sets.</summary>
    public int MaxSide { get; init; } = 16_384;

    /// <summary>Pixels in all. Default 89,478,485: where Pillow starts to warn of a decompression bomb.</summary>
    public long MaxPixels { get; init; } = 89_478_485;

    /// <summary>Bytes of the encoded file. Default 256 MiB.</summary>
    public long MaxFileBytes { get; init; } = 256L << 20;

    internal bool Allows(int width, int height, long fileBytes) =>
        width <= MaxSide && height <= MaxSide && (long)width * height <= MaxPixels && fileBytes <= MaxFileBytes;
}
