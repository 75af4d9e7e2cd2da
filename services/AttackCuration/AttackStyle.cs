using ClipSae.Contracts;
using ClipSae.Datasets;

namespace ClipSae.AttackCuration;

/// <summary>How attack words look. Lengths are shares of the picture's short side, so one style serves every resolution.</summary>
public sealed record AttackStyle
{
    private static readonly string[] Inks = ["#101418", "#1b2a41", "#3a0d12", "#0d2f1a", "#2b1640"];
    private static readonly string[] Plates = ["#ffffff", "#f4efe1", "#e8f1f8", "#fbe9e7", "#eef7e8"];

    /// <summary>Smallest font size.</summary>
    public double MinSize { get; init; } = 0.12;

    /// <summary>Largest font size.</summary>
    public double MaxSize { get; init; } = 0.28;

    /// <summary>Share of words on a plate; the others have an outline.</summary>
    public double PlateShare { get; init; } = 0.5;

    /// <summary>Largest rotation either way, degrees.</summary>
    public double MaxRotation { get; init; } = 8;

    /// <summary>True keeps words at the upper or lower left edge, as the synthetic world prints them; false puts them anywhere.</summary>
    public bool LeftEdge { get; init; }

    /// <summary>
    /// Places tried for a word; the one that hides least of the picture's detail is taken. People put words where nothing is, and a plate over the object
    /// would fool CLIP by itself.
    /// </summary>
    public int Places { get; init; } = 4;

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        if (MinSize <= 0 || MaxSize < MinSize || MaxSize > 1 || PlateShare is < 0 or > 1 || MaxRotation is < 0 or > 90 || Places < 1)
        {
            throw new UserErrorException("curation.style: sizes must satisfy 0 < minSize <= maxSize <= 1, plateShare lie in [0, 1], maxRotation in [0, 90], places be at least 1");
        }
    }

    /// <summary>Where and how a word is printed on a picture; it fits inside where it can.</summary>
    public WordPlacement Place(string word, RgbImage image, FontCatalogue fonts, WordPainter painter, SeededRandom random) =>
        Enumerable.Range(0, Places).Select(_ => Draw(word, image.Width, image.Height, fonts, painter, random)).ToArray()
            .MinBy(placement => PictureDetail.Under(image, painter.Box(placement)))!;

    private WordPlacement Draw(string word, int width, int height, FontCatalogue fonts, WordPainter painter, SeededRandom random)
    {
        var face = random.Pick(fonts.Tuning);
        var side = Math.Min(width, height);
        var margin = Math.Max(1, side / 64.0);
        var widest = (width - (2 * margin)) / (fonts.WidthPerPixel(word, face) + 0.33);
        var size = Math.Min(side * random.NextDouble(MinSize, MaxSize), widest);
        var onPlate = random.NextDouble() < PlateShare;
        var light = random.Next(2) == 0;
        var placement = new WordPlacement(
            word, face.Name, Math.Max(4, Math.Floor(size * 4) / 4), 0, 0,
            Ink: onPlate || !light ? random.Pick(Inks) : random.Pick(Plates),
            Plate: onPlate ? random.Pick(Plates) : null,
            Outline: onPlate ? null : light ? random.Pick(Inks) : random.Pick(Plates),
            Rotation: MaxRotation == 0 ? 0 : Math.Round(random.NextDouble(-MaxRotation, MaxRotation), 1));
        var box = painter.PlateSize(placement);
        double freeX = Math.Max(0, width - box.Width - (2 * margin)), freeY = Math.Max(0, height - box.Height - (2 * margin));
        var jitter = 2 * margin;
        return LeftEdge
            ? placement with
            {
                X = Math.Round(margin + random.NextDouble(0, Math.Min(freeX, jitter))),
                Y = Math.Round(margin + (random.Next(2) == 0 ? random.NextDouble(0, jitter) : freeY - random.NextDouble(0, Math.Min(freeY, jitter)))),
            }
            : placement with { X = Math.Round(margin + random.NextDouble(0, freeX)), Y = Math.Round(margin + random.NextDouble(0, freeY)) };
    }
}
