using System.Text.Json.Nodes;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Decoding;
using SkiaSharp;

namespace ClipSae.Datasets.World;

/// <summary>
/// Draws a world of simple objects and printed words. A picture follows from the seed, its split and its index alone, so any picture can be
/// drawn at any time, on any thread, with the same bytes.
/// </summary>
public sealed class SyntheticWorld(SyntheticWorldOptions options, FontCatalogue fonts)
{
    private const int SpriteBox = 100;

    private readonly WordPainter _painter = new(fonts);

    public IReadOnlyList<WorldSplit> Splits { get; } = WorldSplit.All(options, fonts);

    /// <summary>The picture at a place in a split.</summary>
    public WorldImage Draw(WorldSplit split, int index)
    {
        var random = new SeededRandom(options.Seed, split.Name, index);
        var scene = Choose(split, index, random);
        using var bitmap = new SKBitmap(new SKImageInfo(options.ImageSize, options.ImageSize, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        var background = WorldBackground.Choose(random);
        background.Draw(canvas, options.ImageSize, random);
        var attributes = new JsonObject { ["kind"] = KindName(scene.Kind) };
        var plate = scene.Word is null ? null : Place(scene.Word, split, random);
        if (scene.Object is not null)
        {
            var box = DrawObject(canvas, scene, plate, random);
            attributes["object"] = scene.Object;
            attributes["colour"] = scene.Colour;
            attributes["box"] = new JsonArray(box.Left, box.Top, box.Right, box.Bottom);
        }

        canvas.Flush();
        background.AddGrain(bitmap.GetPixelSpan(), random);
        if (plate is not null)
        {
            _painter.Draw(canvas, plate);
            canvas.Flush();
            attributes["word"] = plate.Word;
            attributes["font"] = plate.Font;
            attributes["placement"] = plate.ToJson();
        }

        attributes["background"] = background.ToJson();
        var item = new DatasetItem(
            $"images/{index:D5}.png",
            Captions(scene),
            scene.Kind == WorldKind.Poster ? scene.Word : scene.Object ?? scene.Word,
            attributes
        );
        return new WorldImage(item, PngEncoder.Encode(bitmap));
    }

    private static string KindName(WorldKind kind) =>
        kind switch
        {
            WorldKind.Object => "object",
            WorldKind.OwnName => "own-name",
            WorldKind.Word => "word",
            WorldKind.Poster => "poster",
            _ => "attacked",
        };

    private static Scene Choose(WorldSplit split, int index, SeededRandom random)
    {
        var kind = split.Mix.Keys.Last();
        var draw = random.NextDouble();
        foreach (var (candidate, share) in split.Mix)
        {
            draw -= share;
            if (draw < 0)
            {
                kind = candidate;
                break;
            }
        }

        var colour = random.Pick(WorldVocabulary.Colours);
        var thing = split.IsEvaluation ? split.Objects[index % split.Objects.Count] : random.Pick(split.Objects);
        return kind switch
        {
            WorldKind.Object => new Scene(kind, thing, colour.Name, colour.Rgb, null),
            WorldKind.OwnName => OwnName(random.Pick([.. split.Objects.Intersect(split.Words)])),
            WorldKind.Word => new Scene(
                kind,
                null,
                null,
                0,
                split.IsEvaluation ? split.Words[index % split.Words.Count] : random.Pick(split.Words)
            ),
            WorldKind.Poster => new Scene(kind, thing, colour.Name, colour.Rgb, random.Pick([.. split.Words.Where(word => word != thing)])),
            _ => new Scene(kind, thing, colour.Name, colour.Rgb, random.Pick([.. split.Words.Where(word => word != thing)])),
        };

        Scene OwnName(string name) => new(kind, name, colour.Name, colour.Rgb, name);
    }

    /// <summary>A dark word on a light plate at the upper or lower left, at most two pixels (of 64) from the corner's place.</summary>
    private WordPlacement Place(string word, WorldSplit split, SeededRandom random)
    {
        var face = fonts[random.Pick(split.Fonts)];
        var unit = options.ImageSize / 64.0;
        var wanted = options.ImageSize * options.FontShare;
        var widest = (options.ImageSize - 2 * unit) / (fonts.WidthPerPixel(word, face) + 0.33);
        var ink = SKColor.FromHsl((float)random.NextDouble(0, 360), (float)random.NextDouble(0, 60), (float)random.NextDouble(4, 18));
        var plate = SKColor.FromHsl((float)random.NextDouble(0, 360), (float)random.NextDouble(0, 50), (float)random.NextDouble(92, 99));
        var placement = new WordPlacement(
            word,
            face.Name,
            Math.Floor(Math.Min(wanted, widest) * 4) / 4,
            0,
            0,
            WorldBackground.Hex(ink),
            WorldBackground.Hex(plate)
        );
        var (width, height) = _painter.PlateSize(placement);
        var free = Math.Max(0, Math.Min((int)(2 * unit), options.ImageSize - width - (int)unit));
        var top = (int)unit + random.Next((int)(2 * unit) + 1);
        return placement with
        {
            X = (int)unit + random.Next(free + 1) - (width + unit + free > options.ImageSize ? 1 : 0),
            Y = random.Next(2) == 0 ? top : options.ImageSize - height - top,
        };
    }

    /// <summary>
    /// Draws the object in the rows that the plate leaves free, as who puts up a sign does; a plate may cover the edge of a large one.
    /// Returns its box.
    /// </summary>
    private (int Left, int Top, int Right, int Bottom) DrawObject(SKCanvas canvas, Scene scene, WordPlacement? plate, SeededRandom random)
    {
        double size = options.ImageSize;
        var side = size * random.NextDouble(options.MinObjectSize, options.MaxObjectSize);
        var margin = size / 64;
        var slack = Math.Max(0, (size - side) / 2 - margin);
        var x = size / 2 + random.NextDouble(-slack, slack);
        var (top, bottom) = FreeRows(plate, margin);
        var play = Math.Max(0, (bottom - top - side) / 2);
        var y = Math.Clamp((top + bottom) / 2 + random.NextDouble(-play, play), side / 2, size - side / 2);
        canvas.Save();
        canvas.Translate((float)x, (float)y);
        canvas.RotateDegrees((float)random.NextDouble(-14, 14));
        if (random.Next(2) == 0)
        {
            canvas.Scale(-1, 1);
        }

        canvas.Scale((float)(side / SpriteBox));
        canvas.Translate(-SpriteBox / 2f, -SpriteBox / 2f);
        ObjectSprites.Draw(canvas, scene.Object!, Vary(scene.Rgb, random));
        canvas.Restore();
        return ((int)(x - side / 2), (int)(y - side / 2), (int)(x + side / 2), (int)(y + side / 2));
    }

    private (double Top, double Bottom) FreeRows(WordPlacement? plate, double margin)
    {
        if (plate is null)
        {
            return (margin, options.ImageSize - margin);
        }

        return plate.Y < options.ImageSize / 2.0 ? (plate.Y + _painter.PlateSize(plate).Height, options.ImageSize) : (0, plate.Y);
    }

    private static SKColor Vary(uint rgb, SeededRandom random)
    {
        byte Shift(uint value) => (byte)Math.Clamp((int)(value & 255) + random.Next(-14, 14), 0, 255);
        return new SKColor(Shift(rgb >> 16), Shift(rgb >> 8), Shift(rgb));
    }

    private string[] Captions(Scene scene)
    {
        var templates = scene.Kind switch
        {
            WorldKind.Word => options.WordCaptions,
            WorldKind.Poster => options.PosterCaptions,
            _ => options.ObjectCaptions,
        };
        return
        [
            .. templates.Select(template =>
                template
                    .Replace("{object}", scene.Object, StringComparison.Ordinal)
                    .Replace("{word}", scene.Word, StringComparison.Ordinal)
                    .Replace("{article}", scene.Colour == "orange" ? "an" : "a", StringComparison.Ordinal)
                    .Replace("{colour}", scene.Colour, StringComparison.Ordinal)
            ),
        ];
    }

    private sealed record Scene(WorldKind Kind, string? Object, string? Colour, uint Rgb, string? Word);
}
