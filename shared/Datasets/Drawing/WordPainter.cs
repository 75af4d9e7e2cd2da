using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using SkiaSharp;

namespace ClipSae.Datasets.Drawing;

/// <summary>Prints words, or their unreadable controls, on pictures of any size.</summary>
public sealed class WordPainter(FontCatalogue fonts)
{
    /// <summary>Thickness of an outline as a share of the font size.</summary>
    private const double OutlineShare = 0.14;

    /// <summary>Draws every placement, in order, on a copy of the picture.</summary>
    public RgbImage Paint(RgbImage image, params IEnumerable<WordPlacement> placements)
    {
        using var bitmap = PixelFormat.ToBitmap(image);
        using var canvas = new SKCanvas(bitmap);
        foreach (var placement in placements)
        {
            Draw(canvas, placement);
        }

        canvas.Flush();
        return PixelFormat.ToRgb(bitmap);
    }

    /// <summary>Width and height of the plate (also where no plate is drawn), pixels, before rotation.</summary>
    public (int Width, int Height) PlateSize(WordPlacement placement) => WordMask.PlateSize(placement, fonts);

    /// <summary>The axis-parallel box that holds the plate after rotation.</summary>
    public (double Left, double Top, double Right, double Bottom) Box(WordPlacement placement)
    {
        var (width, height) = PlateSize(placement);
        var angle = placement.Rotation * Math.PI / 180;
        var (cos, sin) = (Math.Abs(Math.Cos(angle)), Math.Abs(Math.Sin(angle)));
        var (halfWidth, halfHeight) = ((width * cos + height * sin) / 2, (width * sin + height * cos) / 2);
        var (x, y) = (placement.X + width / 2.0, placement.Y + height / 2.0);
        return (x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight);
    }

    internal void Draw(SKCanvas canvas, WordPlacement placement)
    {
        var (width, height) = PlateSize(placement);
        var saved = canvas.Save();
        canvas.Translate((float)placement.X, (float)placement.Y);
        if (placement.Rotation != 0)
        {
            canvas.RotateDegrees((float)placement.Rotation, width / 2f, height / 2f);
        }

        using var paint = new SKPaint { IsAntialias = true };
        if (placement.Plate is not null)
        {
            paint.Color = Colour(placement.Plate, placement);
            var radius = (float)(placement.Size * 0.15);
            canvas.DrawRoundRect(new SKRect(0, 0, width, height), radius, radius, paint);
        }

        if (placement.Outline is not null)
        {
            DrawMask(canvas, paint, placement, placement.Outline, placement.Size * OutlineShare);
        }

        DrawMask(canvas, paint, placement, placement.Ink, 0);
        canvas.RestoreToCount(saved);
    }

    private static SKColor Colour(string colour, WordPlacement placement) =>
        SKColor.Parse(colour).WithAlpha((byte)Math.Round(255 * (1 - placement.Transparency)));

    private void DrawMask(SKCanvas canvas, SKPaint paint, WordPlacement placement, string colour, double thickness)
    {
        using var mask = WordMask.Draw(placement, fonts, thickness);
        mask.SetImmutable();
        using var image = SKImage.FromBitmap(mask);
        paint.Color = Colour(colour, placement);
        canvas.DrawImage(image, 0, 0, new SKSamplingOptions(SKFilterMode.Linear), paint);
    }
}
