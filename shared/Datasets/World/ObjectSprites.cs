using SkiaSharp;

namespace ClipSae.Datasets.World;

/// <summary>The object classes as flat pictures with a dark rim, so that each is known by its outline and its parts.</summary>
internal static class ObjectSprites
{
    private static readonly Dictionary<string, SpriteLayer[]> Sprites = new(StringComparer.Ordinal)
    {
        ["bell"] =
        [
            Dark(Circle(50, 82, 10)),
            Body("M50 6 Q57 6 58 14 Q80 22 80 50 Q80 66 92 76 H8 Q20 66 20 50 Q20 22 42 14 Q43 6 50 6 Z"),
            Light("M36 26 Q30 34 30 52 L38 52 Q38 36 44 26 Z"),
            Shade("M14 68 H86 L92 76 H8 Z"),
        ],
        ["bird"] =
        [
            Dark("M40 70 h5 v20 h-5 z M54 70 h5 v20 h-5 z"),
            Wood("M4 40 L22 30 L22 48 Z"),
            Body("M16 40 Q16 16 38 16 Q56 16 60 38 L96 30 Q92 52 80 62 Q66 80 44 76 Q16 70 16 40 Z"),
            Light("M42 44 Q62 40 78 46 Q66 68 48 62 Q38 56 42 44 Z"),
            White(Circle(32, 33, 8)),
            Dark(Circle(31, 33, 4)),
        ],
        ["boat"] =
        [
            Dark("M46 6 h5 v60 h-5 z"),
            White("M55 10 L90 58 H55 Z"),
            Light("M42 18 L14 58 H42 Z"),
            Body("M4 64 H96 L80 90 H20 Z"),
            Shade("M14 78 H88 L80 90 H20 Z"),
        ],
        ["book"] =
        [
            Body("M50 28 Q28 10 4 18 V84 Q28 76 50 92 Q72 76 96 84 V18 Q72 10 50 28 Z"),
            White("M46 34 Q30 20 13 25 V72 Q30 68 46 80 Z M54 34 Q70 20 87 25 V72 Q70 68 54 80 Z"),
            Dark(
                "M19 36 Q30 35 41 43 V47 Q30 40 19 41 Z M19 52 Q30 51 41 59 V63 Q30 56 19 57 Z M81 36 Q70 35 59 43 V47 Q70 40 81 41 Z "
                    + "M81 52 Q70 51 59 59 V63 Q70 56 81 57 Z"
            ),
        ],
        ["car"] =
        [
            Body("M4 68 V52 Q5 46 18 44 L31 24 Q33 21 39 21 H62 Q67 21 71 25 L84 44 Q96 46 97 54 V68 Z"),
            White("M37 28 H49 V44 H28 Z M55 28 H63 L74 44 H55 Z"),
            Dark(Circle(26, 69, 14)),
            Dark(Circle(75, 69, 14)),
            White(Circle(26, 69, 6)),
            White(Circle(75, 69, 6)),
        ],
        ["cat"] =
        [
            Body("M10 8 L36 26 Q50 21 64 26 L90 8 Q94 36 90 54 Q82 90 50 90 Q18 90 10 54 Q6 36 10 8 Z"),
            Light("M16 18 L30 29 L18 40 Z M84 18 L70 29 L82 40 Z M50 60 Q66 60 66 72 Q64 84 50 84 Q36 84 34 72 Q34 60 50 60 Z"),
            White(Circle(33, 48, 10)),
            White(Circle(67, 48, 10)),
            Dark(Circle(34, 48, 5)),
            Dark(Circle(66, 48, 5)),
            Dark("M43 62 H57 L50 70 Z M48 68 h4 v9 h-4 z"),
        ],
        ["clock"] =
        [
            Dark("M20 82 L28 74 L36 82 L26 96 Z M80 82 L72 74 L64 82 L74 96 Z"),
            Body(Circle(50, 48, 44)),
            White(Circle(50, 48, 33)),
            Dark("M47 22 h6 v24 l17 11 l-4 6 l-19 -12 z"),
            Dark("M48 16 h4 v5 h-4 z M48 75 h4 v5 h-4 z M18 46 h5 v4 h-5 z M77 46 h5 v4 h-5 z"),
        ],
        ["crown"] =
        [
            Body("M12 84 L4 28 L28 52 L50 12 L72 52 L96 28 L88 84 Z"),
            Shade("M12 68 H88 V84 H12 Z"),
            Light(Circle(50, 14, 7)),
            Light(Circle(6, 28, 6)),
            Light(Circle(94, 28, 6)),
            White(Circle(50, 76, 6)),
            White(Circle(28, 76, 5)),
            White(Circle(72, 76, 5)),
        ],
        ["cup"] =
        [
            Body("M66 36 Q98 32 96 54 Q93 78 62 76 L64 66 Q82 66 84 54 Q84 46 66 46 Z"),
            Body("M12 30 H72 L67 84 Q66 92 58 92 H26 Q18 92 17 84 Z"),
            Light("M12 30 a30 9 0 1 0 60 0 a30 9 0 1 0 -60 0 z"),
            Dark("M19 31 a23 5 0 1 0 46 0 a23 5 0 1 0 -46 0 z"),
            White("M22 46 h8 l2 36 h-7 z"),
        ],
        ["fish"] =
        [
            Shade("M38 34 Q50 8 66 16 L62 40 Z"),
            Body("M4 52 Q28 16 66 44 L96 18 Q88 52 96 84 L66 60 Q28 88 4 52 Z"),
            Light("M46 33 Q38 52 46 72 L54 69 Q46 52 54 36 Z M62 41 Q56 52 62 63 L68 59 Q63 52 68 45 Z"),
            White(Circle(25, 46, 8)),
            Dark(Circle(24, 46, 4)),
        ],
        ["hat"] =
        [
            Body("M26 8 Q50 14 74 8 L72 68 H28 Z"),
            White("M27 50 H73 V64 H27 Z"),
            Body("M2 66 Q50 78 98 66 Q98 86 50 88 Q2 86 2 66 Z"),
            Light("M33 16 h8 v30 h-8 z"),
        ],
        ["heart"] =
        [
            Body("M50 92 C12 64 2 46 4 30 C8 4 40 2 50 28 C60 2 92 4 96 30 C98 46 88 64 50 92 Z"),
            Light("M16 34 Q18 18 32 18 Q34 22 30 26 Q22 28 24 40 Q18 42 16 34 Z"),
        ],
        ["house"] =
        [
            Body("M18 44 H82 V92 H18 Z"),
            Shade("M2 48 L50 6 L98 48 L90 54 L50 20 L10 54 Z"),
            Body("M18 48 L50 20 L82 48 Z"),
            Wood("M42 92 V62 H58 V92 Z"),
            White("M24 56 h12 v14 h-12 Z M64 56 h12 v14 h-12 Z"),
            White(Circle(50, 40, 7)),
        ],
        ["key"] =
        [
            Body("M4 50 a23 23 0 1 0 46 0 a23 23 0 1 0 -46 0 z M16 50 a11 11 0 1 1 22 0 a11 11 0 1 1 -22 0 z"),
            Body("M48 43 H97 V72 H87 V58 H80 V68 H70 V58 H48 Z"),
            Light("M50 45 H94 V49 H50 Z"),
        ],
        ["kite"] =
        [
            Body("M50 2 L84 36 L50 76 L16 36 Z"),
            Light("M50 2 L50 36 L84 36 Z M50 36 L50 76 L16 36 Z"),
            Dark("M48 76 h4 v6 q10 4 2 14 h-5 q6 -8 -1 -12 z M40 82 L48 86 L40 91 Z M60 82 L52 86 L60 91 Z"),
        ],
        ["lamp"] =
        [
            Dark("M46 50 h8 v36 h-8 z"),
            Body("M32 8 H68 L90 54 H10 Z"),
            Light("M38 14 H46 L38 48 H22 Z"),
            Shade("M28 84 Q50 74 72 84 V92 H28 Z"),
        ],
        ["leaf"] =
        [
            Dark("M4 96 Q12 80 26 70 L30 75 Q18 84 10 98 Z"),
            Body("M22 78 Q6 30 48 14 Q70 6 95 5 Q96 40 82 62 Q62 94 22 78 Z"),
            Light(
                "M24 74 Q50 52 84 16 L87 20 Q56 54 28 78 Z M46 54 L44 30 L49 30 L51 50 Z M58 43 L57 22 L62 20 L63 38 Z "
                    + "M50 55 L74 56 L73 61 L46 60 Z M62 42 L84 42 L83 47 L58 47 Z"
            ),
        ],
        ["moon"] =
        [
            Body("M62 4 A47 47 0 1 0 95 70 A40 40 0 0 1 62 4 Z"),
            Light(Circle(28, 44, 6)),
            Light(Circle(40, 70, 8)),
            Light(Circle(46, 26, 4)),
        ],
        ["star"] = [Body("M50 3 L63 36 L98 38 L71 60 L80 95 L50 75 L20 95 L29 60 L2 38 L37 36 Z"), Light("M50 18 L58 42 L50 54 L42 42 Z")],
        ["tree"] =
        [
            Wood("M43 74 h14 v22 h-14 z"),
            Body("M50 3 L76 34 H66 L86 58 H74 L94 80 H6 L26 58 H14 L34 34 H24 Z"),
            Light("M50 10 L62 26 L48 30 Z M40 44 L56 40 L44 54 Z M34 66 L52 62 L38 76 Z"),
        ],
    };

    /// <summary>Draws an object in the canvas's box of 100 × 100.</summary>
    public static void Draw(SKCanvas canvas, string name, SKColor colour)
    {
        var rim = Scale(colour, 0.38);
        using var paint = new SKPaint
        {
            IsAntialias = true,
            StrokeWidth = 5,
            StrokeJoin = SKStrokeJoin.Round,
        };
        foreach (var layer in Sprites[name])
        {
            paint.Style = layer.Tone is SpriteTone.Body ? SKPaintStyle.StrokeAndFill : SKPaintStyle.Fill;
            if (layer.Tone is SpriteTone.Body)
            {
                paint.Color = rim;
                paint.Style = SKPaintStyle.Stroke;
                canvas.DrawPath(layer.Shape, paint);
                paint.Style = SKPaintStyle.Fill;
            }

            paint.Color = layer.Tone switch
            {
                SpriteTone.Body => colour,
                SpriteTone.Light => Towards(colour, SKColors.White, 0.45),
                SpriteTone.Shade => Scale(colour, 0.68),
                SpriteTone.Dark => new SKColor(0x24, 0x22, 0x2C),
                SpriteTone.White => new SKColor(0xFB, 0xF9, 0xF4),
                _ => new SKColor(0x7A, 0x50, 0x2C),
            };
            canvas.DrawPath(layer.Shape, paint);
        }
    }

    private static SKColor Scale(SKColor colour, double factor) =>
        new((byte)(colour.Red * factor), (byte)(colour.Green * factor), (byte)(colour.Blue * factor));

    private static SKColor Towards(SKColor from, SKColor to, double share)
    {
        byte Mix(byte a, byte b) => (byte)Math.Round(a + share * (b - a));
        return new SKColor(Mix(from.Red, to.Red), Mix(from.Green, to.Green), Mix(from.Blue, to.Blue));
    }

    private static string Circle(int x, int y, int radius) =>
        $"M{x - radius} {y} a{radius} {radius} 0 1 0 {2 * radius} 0 a{radius} {radius} 0 1 0 {-2 * radius} 0 z";

    private static SpriteLayer Body(string path) => Layer(path, SpriteTone.Body);

    private static SpriteLayer Light(string path) => Layer(path, SpriteTone.Light);

    private static SpriteLayer Shade(string path) => Layer(path, SpriteTone.Shade);

    private static SpriteLayer Dark(string path) => Layer(path, SpriteTone.Dark);

    private static SpriteLayer White(string path) => Layer(path, SpriteTone.White);

    private static SpriteLayer Wood(string path) => Layer(path, SpriteTone.Wood);

    private static SpriteLayer Layer(string path, SpriteTone tone) =>
        new(SKPath.ParseSvgPathData(path) ?? throw new InvalidOperationException($"Not a path: {path}"), tone);
}
