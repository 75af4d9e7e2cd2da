namespace ClipSae.Imaging.Pixels;

/// <summary>A picture of which a part is decoded; the pixels belong to its decoder, and are valid until that decodes again.</summary>
/// <param name="pixels">[region.Height, region.Width, bytes of a pixel].</param>
/// <param name="mode">What the pixels are.</param>
/// <param name="region">Where the pixels are in the picture; at least what was asked for.</param>
/// <param name="width">Width of the whole picture.</param>
/// <param name="height">Height of the whole picture.</param>
public readonly ref struct DecodedRegion(ReadOnlySpan<byte> pixels, PixelMode mode, ImageRegion region, int width, int height)
{
    public ReadOnlySpan<byte> Pixels { get; } = pixels;

    public PixelMode Mode { get; } = mode;

    public ImageRegion Region { get; } = region;

    public int Width { get; } = width;

    public int Height { get; } = height;

    /// <summary>A picture that is decoded whole.</summary>
    public static DecodedRegion Whole(DecodedImage picture)
    {
        var region = new ImageRegion(0, 0, picture.Width, picture.Height);
        return new DecodedRegion(picture.Pixels.Span, picture.Mode, region, picture.Width, picture.Height);
    }
}
