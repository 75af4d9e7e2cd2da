namespace ClipSae.Datasets;

/// <summary>Decoded pixels that belong to a <see cref="RegionDecoder"/> and are valid until it decodes again.</summary>
/// <param name="rgb">[region.Height, region.Width, 3].</param>
/// <param name="region">Where the pixels lie in the picture; at least what was asked for.</param>
/// <param name="width">Width of the whole picture.</param>
/// <param name="height">Height of the whole picture.</param>
public readonly ref struct DecodedRegion(ReadOnlySpan<byte> rgb, ImageRegion region, int width, int height)
{
    public ReadOnlySpan<byte> Rgb { get; } = rgb;

    public ImageRegion Region { get; } = region;

    public int Width { get; } = width;

    public int Height { get; } = height;
}
