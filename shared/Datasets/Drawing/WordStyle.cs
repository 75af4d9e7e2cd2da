namespace ClipSae.Datasets.Drawing;

/// <summary>
/// How words are printed on pictures for attacks. Lengths are shares of the picture, so that any resolution can be drawn on. The defaults
/// vary as typographic attacks on photographs do: size, colour with outline, position, rotation and count.
/// </summary>
public sealed record WordStyle
{
    /// <summary>As in the synthetic world: one dark word on a light plate at the upper or lower left; 16 pixels of 64.</summary>
    public static WordStyle Plate { get; } =
        new()
        {
            MinSize = 0.25,
            MaxSize = 0.25,
            PlateShare = 1,
            Place = WordPlace.Corner,
            MaxRotation = 0,
            MaxCount = 1,
            Colours = WordColours.Dark,
            Places = 1,
        };

    /// <summary>Smallest font size as a share of the shorter side. Default 0.08.</summary>
    public double MinSize { get; init; } = 0.08;

    /// <summary>Largest font size as a share of the shorter side. Default 0.22.</summary>
    public double MaxSize { get; init; } = 0.22;

    /// <summary>Share of words on a plate; the others have an outline. Default 0.5.</summary>
    public double PlateShare { get; init; } = 0.5;

    /// <summary>Where words may be. Default anywhere.</summary>
    public WordPlace Place { get; init; } = WordPlace.Anywhere;

    /// <summary>Smallest rotation either way, degrees. Default 0.</summary>
    public double MinRotation { get; init; }

    /// <summary>Largest rotation either way, degrees. Default 15.</summary>
    public double MaxRotation { get; init; } = 15;

    /// <summary>Fewest copies of the word on one picture. Default 1.</summary>
    public int MinCount { get; init; } = 1;

    /// <summary>Most copies of the word on one picture. Default 3.</summary>
    public int MaxCount { get; init; } = 3;

    /// <summary>Colours of letters and plate or outline. Default any.</summary>
    public WordColours Colours { get; init; } = WordColours.Any;

    /// <summary>How far the letters' colour is from that of plate or outline: 1 as drawn, towards 0 the same. Default 1.</summary>
    public double Contrast { get; init; } = 1;

    /// <summary>Share of the picture that shows through the print. Default 0.</summary>
    public double Transparency { get; init; }

    /// <summary>Angle of the arc that the letters stand on, degrees; 0 is a straight line. Default 0.</summary>
    public double Curve { get; init; }

    /// <summary>Letters. Default as the word is given.</summary>
    public WordCase Case { get; init; }

    /// <summary>
    /// Places tried for a word; the one that hides least of the picture's detail is taken. People put words where nothing is, and a plate
    /// over the object would fool CLIP by itself. Default 4.
    /// </summary>
    public int Places { get; init; } = 4;

    /// <summary>What is impossible about it, as an option's key and the rule that it breaks; null where nothing is.</summary>
    public (string Key, string Rule)? Problem() =>
        !(MinSize > 0 && MaxSize >= MinSize && MaxSize <= 1) ? ("style", "0 < minSize <= maxSize <= 1")
        : !(PlateShare is >= 0 and <= 1) ? ("style.plateShare", "in [0, 1]")
        : !(MinRotation >= 0 && MaxRotation >= MinRotation && MaxRotation <= 90) ? ("style", "0 <= minRotation <= maxRotation <= 90")
        : !(MinCount >= 1 && MaxCount >= MinCount && MaxCount <= 16) ? ("style.maxCount", "from 1 (and no less than minCount) to 16")
        : !(Contrast is > 0 and <= 1) ? ("style.contrast", "in (0, 1]")
        : !(Transparency is >= 0 and < 1) ? ("style.transparency", "in [0, 1)")
        : !(Curve is >= 0 and <= 180) ? ("style.curve", "in [0, 180]")
        : !(Places is >= 1 and <= 64) ? ("style.places", "from 1 to 64")
        : null;
}
