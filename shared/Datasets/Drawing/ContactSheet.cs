using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using SkiaSharp;

namespace ClipSae.Datasets.Drawing;

/// <summary>One picture of many: a grid with a small caption under each.</summary>
public static class ContactSheet
{
    private const int Gap = 8;
    private const int LineHeight = 15;

    /// <param name="images">Pictures with the lines under each; a line too long for its cell is cut.</param>
    /// <param name="columns">Pictures in a row.</param>
    /// <param name="cell">Side of a picture on the sheet, pixels.</param>
    /// <param name="font">Face of the captions.</param>
    public static RgbImage Draw(IReadOnlyList<(RgbImage Image, IReadOnlyList<string> Lines)> images, int columns, int cell, FontFace font)
    {
        UserErrorException.ThrowIf(images.Count == 0, "A contact sheet needs at least one picture.");

        columns = Math.Min(columns, images.Count);
        var rows = (images.Count + columns - 1) / columns;
        var text = images.Max(image => image.Lines.Count) * LineHeight;
        using var sheet = new SKBitmap(
            new SKImageInfo(columns * (cell + Gap) + Gap, rows * (cell + text + Gap) + Gap, SKColorType.Rgba8888, SKAlphaType.Opaque)
        );
        using var canvas = new SKCanvas(sheet);
        canvas.Clear(new SKColor(0xF4, 0xF3, 0xF0));
        using var type = font.At(11);
        using var paint = new SKPaint { IsAntialias = true, Color = new SKColor(0x33, 0x33, 0x33) };
        for (var index = 0; index < images.Count; index++)
        {
            var (left, top) = (Gap + index % columns * (cell + Gap), Gap + index / columns * (cell + text + Gap));
            Place(canvas, images[index].Image, left, top, cell);
            for (var line = 0; line < images[index].Lines.Count; line++)
            {
                canvas.DrawText(
                    Cut(images[index].Lines[line], type, cell),
                    left,
                    top + cell + LineHeight * (line + 1) - 3,
                    SKTextAlign.Left,
                    type,
                    paint
                );
            }
        }

        canvas.Flush();
        return PixelFormat.ToRgb(sheet);
    }

    private static void Place(SKCanvas canvas, RgbImage image, int left, int top, int cell)
    {
        using var bitmap = PixelFormat.ToBitmap(image);
        bitmap.SetImmutable();
        using var picture = SKImage.FromBitmap(bitmap);
        var scale = (double)cell / Math.Max(image.Width, image.Height);
        var (width, height) = ((float)(image.Width * scale), (float)(image.Height * scale));
        var box = SKRect.Create(left + (cell - width) / 2, top + (cell - height) / 2, width, height);
        var sampling =
            scale >= 1 ? new SKSamplingOptions(SKFilterMode.Nearest) : new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear);
        canvas.DrawImage(picture, box, sampling);
    }

    private static string Cut(string line, SKFont font, int width)
    {
        if (font.MeasureText(line) <= width)
        {
            return line;
        }

        var length = line.Length;
        while (length > 1 && font.MeasureText(line.AsSpan(0, length).ToString() + "…") > width)
        {
            length--;
        }

        return line[..length] + "…";
    }
}
