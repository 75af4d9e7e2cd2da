namespace ClipSae.Imaging.Pixels;

/// <summary>A picture of 8-bit red, green, blue, row by row without padding.</summary>
public sealed class RgbImage
{
    /// <exception cref="ArgumentException"><paramref name="rgb"/> is not width × height × 3 long.</exception>
    public RgbImage(int width, int height, byte[] rgb)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (rgb.LongLength != (long)width * height * 3)
        {
            throw new ArgumentException(
                $"A {width} × {height} picture has {(long)width * height * 3} values, not {rgb.LongLength}.",
                nameof(rgb)
            );
        }

        Width = width;
        Height = height;
        Rgb = rgb;
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>[height, width, 3].</summary>
#pragma warning disable CA1819 // Pixels are handed on without a copy: the type exists to carry them.
    public byte[] Rgb { get; }
#pragma warning restore CA1819
}
