using SkiaSharp;

namespace ClipSae.Datasets.Drawing;

/// <summary>One face that words can be drawn with.</summary>
/// <param name="Name">Unique in its catalogue, such as "DejaVuSans-Bold"; recorded with each drawn word.</param>
/// <param name="Slant">Horizontal shear that makes an upright face oblique; 0 for none.</param>
public sealed record FontFace(string Name, float Slant = 0)
{
    internal SKTypeface Typeface { get; init; } = SKTypeface.Default;

    /// <summary>SHA-256 of the font file, hexadecimal.</summary>
    internal string File { get; init; } = "";

    /// <summary>Whether it has every letter of a word.</summary>
    internal bool Has(string word)
    {
        using var font = At(16);
        return font.ContainsGlyphs(word);
    }

    internal SKFont At(double size) =>
        new(Typeface, (float)size, 1, Slant)
        {
            Edging = SKFontEdging.Antialias,
            Hinting = SKFontHinting.None,
            Subpixel = true,
        };
}
