using SkiaSharp;

namespace ClipSae.Datasets.Drawing;

/// <summary>Ink coverage of a word (or of its unreadable control) on a plate, 8 bits a pixel, [height, width].</summary>
internal static class WordMask
{
    /// <summary>Space around the letters, as a share of the font size.</summary>
    private const double Margin = 0.16;

    /// <summary>Ascender to descender of lower-case letters, as a share of the font size.</summary>
    private const double LineHeight = 1.0;

    private const double Baseline = 0.77;

    /// <summary>Size of the plate in whole pixels.</summary>
    public static (int Width, int Height) PlateSize(WordPlacement placement, FontCatalogue fonts)
    {
        var width = placement.Size * (fonts.WidthPerPixel(placement.Letters, fonts[placement.Font]) + 2 * (Margin + Lean(placement.Curve)));
        return ((int)Math.Ceiling(width), (int)Math.Ceiling(placement.Size * (LineHeight + 2 * Margin) + Rise(placement, fonts)));
    }

    /// <param name="thickness">Width of a line around the letters, pixels; 0 fills the letters.</param>
    public static SKBitmap Draw(WordPlacement placement, FontCatalogue fonts, double thickness)
    {
        var (width, height) = PlateSize(placement, fonts);
        var mask = new SKBitmap(new SKImageInfo(width, height, SKColorType.Alpha8, SKAlphaType.Premul));
        mask.Erase(SKColors.Transparent);
        using var canvas = new SKCanvas(mask);
        using var paint = new SKPaint { IsAntialias = true, Color = SKColors.Black };
        if (thickness > 0)
        {
            paint.Style = SKPaintStyle.StrokeAndFill;
            paint.StrokeWidth = (float)thickness;
            paint.StrokeJoin = SKStrokeJoin.Round;
        }

        using var font = fonts[placement.Font].At(placement.Size);
        var baseline = (float)(placement.Size * (Margin + Baseline));
        if (placement.Curve == 0)
        {
            canvas.DrawText(placement.Letters, (float)(placement.Size * Margin), baseline, SKTextAlign.Left, font, paint);
        }
        else
        {
            using var arc = Arc(placement, fonts, width, baseline);
            canvas.DrawTextOnPath(placement.Letters, arc, 0, 0, SKTextAlign.Left, font, paint);
        }

        canvas.Flush();
        return placement.Overlay switch
        {
            WordOverlay.Word => mask,
            WordOverlay.Mirrored => Rearrange(mask, column => width - 1 - column, upsideDown: false),
            WordOverlay.Scrambled => Scramble(mask, placement),
            WordOverlay.Strokes => Strokes(mask, canvas, paint, placement),
            _ => throw new ArgumentOutOfRangeException(nameof(placement), placement.Overlay, null),
        };
    }

    /// <summary>How far the outermost letters of an arc lean over its ends, as a share of the font size.</summary>
    /// <param name="curve">Angle of the arc, degrees.</param>
    public static double Lean(double curve) => Baseline * Math.Sin(curve / 2 * Math.PI / 180);

    /// <summary>Height of an arc over its ends, pixels.</summary>
    private static double Rise(WordPlacement placement, FontCatalogue fonts) =>
        placement.Curve == 0
            ? 0
            : Radius(placement, fonts) * (1 - Math.Cos(placement.Curve / 2 * Math.PI / 180)) + placement.Size * (LineHeight - Baseline);

    private static double Radius(WordPlacement placement, FontCatalogue fonts) =>
        placement.Size * fonts.WidthPerPixel(placement.Letters, fonts[placement.Font]) / (placement.Curve * Math.PI / 180);

    private static SKPath Arc(WordPlacement placement, FontCatalogue fonts, int width, float top)
    {
        var radius = (float)Radius(placement, fonts);
        using var path = new SKPathBuilder();
        path.AddArc(
            SKRect.Create(width / 2f - radius, top, 2 * radius, 2 * radius),
            (float)(-90 - placement.Curve / 2),
            (float)placement.Curve
        );
        return path.Detach();
    }

    private static SKBitmap Rearrange(SKBitmap mask, Func<int, int> source, bool upsideDown)
    {
        var (width, height, stride) = (mask.Width, mask.Height, mask.RowBytes);
        var pixels = mask.GetPixelSpan();
        var before = pixels.ToArray();
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                pixels[y * stride + x] = before[(upsideDown ? height - 1 - y : y) * stride + source(x)];
            }
        }

        return mask;
    }

    private static SKBitmap Scramble(SKBitmap mask, WordPlacement placement)
    {
        // Narrower than a stem is apart from the next, so that no letter survives.
        var slice = Math.Max(2, (int)Math.Round(placement.Size * 0.22));
        var slices = mask.Width / slice;
        var order = Enumerable.Range(0, slices).ToArray();
        new SeededRandom(placement.Seed, "scramble").Shuffle(order);
        return Rearrange(
            mask,
            column => column / slice < slices ? order[column / slice] * slice + column % slice : column,
            upsideDown: true
        );
    }

    /// <summary>Strokes until the word's ink is reached; the last one is drawn fainter to meet it.</summary>
    private static SKBitmap Strokes(SKBitmap mask, SKCanvas canvas, SKPaint paint, WordPlacement placement)
    {
        var wanted = Ink(mask);
        var random = new SeededRandom(placement.Seed, "strokes");
        mask.Erase(SKColors.Transparent);
        paint.Style = SKPaintStyle.Stroke;
        paint.StrokeCap = SKStrokeCap.Round;
        paint.StrokeWidth = (float)(placement.Size * 0.15) + Math.Max(0, paint.StrokeWidth);
        for (long ink = 0, stroke = 0; ink < wanted && stroke < 400; stroke++)
        {
            var left = placement.Size * Margin;
            var (x, y) = (random.NextDouble(left, mask.Width - left), random.NextDouble(0.25, 0.85) * mask.Height);
            var (angle, length) = (random.NextDouble(0, Math.PI), placement.Size * random.NextDouble(0.15, 0.45));
            var (dx, dy) = (Math.Cos(angle) * length / 2, Math.Sin(angle) * length / 2);
            var before = mask.GetPixelSpan().ToArray();
            canvas.DrawLine((float)(x - dx), (float)(y - dy), (float)(x + dx), (float)(y + dy), paint);
            canvas.Flush();
            var after = Ink(mask);
            if (after > wanted)
            {
                Blend(mask.GetPixelSpan(), before, (double)(wanted - ink) / (after - ink));
            }

            ink = after;
        }

        return mask;
    }

    private static void Blend(Span<byte> pixels, byte[] before, double share)
    {
        for (var index = 0; index < pixels.Length; index++)
        {
            pixels[index] = (byte)Math.Round(before[index] + share * (pixels[index] - before[index]));
        }
    }

    private static long Ink(SKBitmap mask)
    {
        var pixels = mask.GetPixelSpan();
        var sum = 0L;
        for (var y = 0; y < mask.Height; y++)
        {
            foreach (var coverage in pixels.Slice(y * mask.RowBytes, mask.Width))
            {
                sum += coverage;
            }
        }

        return sum;
    }
}
