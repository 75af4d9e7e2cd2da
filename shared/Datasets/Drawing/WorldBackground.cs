using System.Text.Json.Nodes;
using SkiaSharp;

namespace ClipSae.Datasets.Drawing;

/// <summary>What is behind the object: plain, a gradient, soft blobs, stripes or dots in muted colours, sometimes with grain.</summary>
internal sealed record WorldBackground(string Kind, SKColor From, SKColor To, bool Grain)
{
    private static readonly string[] Kinds = ["plain", "gradient", "gradient", "blobs", "stripes", "dots"];

    public static WorldBackground Choose(SeededRandom random)
    {
        var hue = random.NextDouble(0, 360);
        var lightness = random.NextDouble(52, 93);
        SKColor Tone(double shift) =>
            SKColor.FromHsl(
                (float)((hue + shift + 360) % 360),
                (float)random.NextDouble(8, 32),
                (float)Math.Clamp(lightness + random.NextDouble(-12, 12), 40, 96)
            );
        return new WorldBackground(random.Pick(Kinds), Tone(0), Tone(random.NextDouble(-50, 50)), random.Next(4) == 0);
    }

    public JsonObject ToJson() =>
        new()
        {
            ["kind"] = Kind,
            ["from"] = Hex(From),
            ["to"] = Hex(To),
            ["grain"] = Grain,
        };

    public void Draw(SKCanvas canvas, int size, SeededRandom random)
    {
        canvas.Clear(From);
        using var paint = new SKPaint { IsAntialias = true, Color = To };
        switch (Kind)
        {
            case "gradient":
                DrawGradient(canvas, size, random, paint);
                break;
            case "blobs":
                DrawBlobs(canvas, size, random, paint);
                break;
            case "stripes":
                canvas.Save();
                canvas.RotateDegrees(random.Next(0, 3) * 45, size / 2f, size / 2f);
                var step = (float)(size * random.NextDouble(0.1, 0.2));
                for (var x = -size; x < 2 * size; x += (int)(2 * step))
                {
                    canvas.DrawRect(x, -size, step, 3 * size, paint);
                }

                canvas.Restore();
                break;
            case "dots":
                DrawDots(canvas, size, random, paint);
                break;
        }
    }

    /// <summary>Adds noise of a few levels, equal in the three channels; RGBA bytes in place.</summary>
    public void AddGrain(Span<byte> rgba, SeededRandom random)
    {
        if (!Grain)
        {
            return;
        }

        for (var pixel = 0; pixel < rgba.Length; pixel += 4)
        {
            var bits = (uint)random.NextBits();
            var noise = (int)(bits & 7) + (int)((bits >> 3) & 7) - 7;
            for (var channel = 0; channel < 3; channel++)
            {
                rgba[pixel + channel] = (byte)Math.Clamp(rgba[pixel + channel] + noise, 0, 255);
            }
        }
    }

    internal static string Hex(SKColor colour) => $"#{colour.Red:x2}{colour.Green:x2}{colour.Blue:x2}";

    private void DrawGradient(SKCanvas canvas, int size, SeededRandom random, SKPaint paint)
    {
        var angle = random.NextDouble(0, 2 * Math.PI);
        var (dx, dy) = ((float)Math.Cos(angle) * size / 2, (float)Math.Sin(angle) * size / 2);
        using var shader = SKShader.CreateLinearGradient(
            new SKPoint(size / 2f - dx, size / 2f - dy),
            new SKPoint(size / 2f + dx, size / 2f + dy),
            [From, To],
            SKShaderTileMode.Clamp
        );
        paint.Shader = shader;
        canvas.DrawPaint(paint);
        paint.Shader = null;
    }

    private void DrawBlobs(SKCanvas canvas, int size, SeededRandom random, SKPaint paint)
    {
        paint.Color = To.WithAlpha(150);
        for (var blob = random.Next(3, 6); blob > 0; blob--)
        {
            canvas.DrawOval(
                (float)random.NextDouble(0, size),
                (float)random.NextDouble(0, size),
                (float)(size * random.NextDouble(0.1, 0.35)),
                (float)(size * random.NextDouble(0.1, 0.35)),
                paint
            );
        }
    }

    private static void DrawDots(SKCanvas canvas, int size, SeededRandom random, SKPaint paint)
    {
        var step = size * random.NextDouble(0.14, 0.22);
        var radius = (float)(step * random.NextDouble(0.18, 0.3));
        var odd = false;
        for (var y = step / 2; y < size + step; y += step, odd = !odd)
        {
            for (var x = odd ? step : step / 2; x < size + step; x += step)
            {
                canvas.DrawCircle((float)x, (float)y, radius, paint);
            }
        }
    }
}
