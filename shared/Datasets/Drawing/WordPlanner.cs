using ClipSae.Imaging.Pixels;
using SkiaSharp;

namespace ClipSae.Datasets.Drawing;

/// <summary>Chooses where and how a word is printed; what it chose is recorded and can be drawn again.</summary>
public sealed class WordPlanner(FontCatalogue fonts, WordStyle style)
{
    /// <summary>Space between word and border, and its jitter: 1 and 2 pixels of 64.</summary>
    private const double Border = 1 / 64.0;

    private readonly WordPainter _painter = new(fonts);

    /// <param name="faces">Names of the faces that may be used.</param>
    /// <param name="image">What the word is printed on.</param>
    public IReadOnlyList<WordPlacement> Plan(string word, IReadOnlyList<string> faces, RgbImage image, SeededRandom random)
    {
        var shown = new WordPlacement[random.Next(style.MinCount, style.MaxCount)];
        for (var copy = 0; copy < shown.Length; copy++)
        {
            var tried = new WordPlacement[style.Places];
            for (var place = 0; place < tried.Length; place++)
            {
                tried[place] = PlanOne(word, random.Pick(faces), image.Width, image.Height, random);
            }

            shown[copy] = tried.MinBy(placement => ImageDetail.Under(image, _painter.Box(placement)))!;
        }

        return shown;
    }

    /// <summary>The control of a printed word: the same plate, ink and place, unreadable.</summary>
    public static IReadOnlyList<WordPlacement> Control(IReadOnlyList<WordPlacement> shown, WordOverlay overlay, long seed) =>
        [.. shown.Select((placement, copy) => placement with { Overlay = overlay, Seed = seed + copy })];

    private WordPlacement PlanOne(string word, string face, int width, int height, SeededRandom random)
    {
        double side = Math.Min(width, height);
        var unit = side * Border;
        var widest =
            (width - 2 * unit)
            / (
                fonts.WidthPerPixel(style.Case == WordCase.Upper ? word.ToUpperInvariant() : word, fonts[face])
                + 0.33
                + 2 * WordMask.Lean(style.Curve)
            );
        var size = Math.Floor(Math.Min(side * random.NextDouble(style.MinSize, style.MaxSize), widest) * 4) / 4;
        var (ink, ground) = Colours(random);
        var plated = random.NextDouble() < style.PlateShare;
        var placement = new WordPlacement(
            word,
            face,
            Math.Max(4, size),
            0,
            0,
            ink,
            plated ? ground : null,
            plated ? null : ground,
            Rotation(random),
            Case: style.Case,
            Curve: style.Curve,
            Transparency: style.Transparency
        );
        var (left, top, right, bottom) = _painter.Box(placement);
        var (freeX, freeY) = (Math.Max(0, width - (int)Math.Ceiling(right - left)), Math.Max(0, height - (int)Math.Ceiling(bottom - top)));
        var (x, y) = style.Place switch
        {
            WordPlace.Corner => Corner(freeX, freeY, unit, random),
            WordPlace.Foot => (freeX / 2, Math.Max(0, freeY - (int)Math.Round(unit) - random.Next(1 + (int)(2 * unit)))),
            WordPlace.Centre => (freeX / 2, freeY / 2),
            _ => (random.Next(freeX + 1), random.Next(freeY + 1)),
        };
        return placement with { X = Math.Ceiling(x - left), Y = Math.Ceiling(y - top) };
    }

    private static (int X, int Y) Corner(int freeX, int freeY, double unit, SeededRandom random)
    {
        var edge = (int)Math.Round(unit);
        var (x, y) = (edge + random.Next(2 * edge + 1), edge + random.Next(2 * edge + 1));
        return (Math.Min(x, freeX), random.Next(2) == 0 ? Math.Min(y, freeY) : Math.Max(0, freeY - y));
    }

    private double Rotation(SeededRandom random)
    {
        if (style.MaxRotation == 0)
        {
            return 0;
        }

        var angle = random.NextDouble(-style.MaxRotation, style.MaxRotation);
        return Math.Round(
            style.MinRotation == 0
                ? angle
                : Math.CopySign(style.MinRotation + Math.Abs(angle) * (style.MaxRotation - style.MinRotation) / style.MaxRotation, angle),
            1
        );
    }

    private (string Ink, string Ground) Colours(SeededRandom random)
    {
        var isAny = style.Colours == WordColours.Any;
        var (dark, light) = isAny
            ? (Tone(random, 100, 8, 32), Tone(random, 100, 78, 99))
            : (Tone(random, 60, 4, 18), Tone(random, 50, 92, 99));
        var (ink, ground) = style.Colours == WordColours.Light || (isAny && random.Next(2) == 0) ? (light, dark) : (dark, light);
        return (WorldBackground.Hex(Between(ground, ink, style.Contrast)), WorldBackground.Hex(ground));
    }

    private static SKColor Tone(SeededRandom random, double saturation, double darkest, double lightest) =>
        SKColor.FromHsl(
            (float)random.NextDouble(0, 360),
            (float)random.NextDouble(0, saturation),
            (float)random.NextDouble(darkest, lightest)
        );

    private static SKColor Between(SKColor from, SKColor to, double share)
    {
        byte Level(byte a, byte b) => (byte)Math.Round(a + share * (b - a));
        return new SKColor(Level(from.Red, to.Red), Level(from.Green, to.Green), Level(from.Blue, to.Blue));
    }
}
