using SkiaSharp;

namespace ClipSae.Web.Atlas;

/// <summary>Activations over the patches of a picture as a small transparent PNG, a pixel a patch, to be laid over the picture.</summary>
internal static class PatchOverlay
{
    private const byte Strongest = 215;
    private static readonly SKColor Colour = new(0xFF, 0x5A, 0x1F);

    /// <param name="side">Patches across.</param>
    /// <param name="values">[side · side], rows from the top; NaN where nothing is known.</param>
    /// <param name="max">What is drawn strongest.</param>
    public static byte[] Draw(int side, float[] values, double max)
    {
        using var bitmap = new SKBitmap(side, side, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        for (var place = 0; place < values.Length; place++)
        {
            var share = float.IsNaN(values[place]) || max <= 0 ? 0 : Math.Clamp(values[place] / max, 0, 1);
            bitmap.SetPixel(place % side, place / side, Colour.WithAlpha((byte)(Strongest * share)));
        }

        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return encoded.ToArray();
    }
}
