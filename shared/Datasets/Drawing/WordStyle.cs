namespace ClipSae.Datasets;

/// <summary>How words are printed on pictures for attacks. Lengths are shares of the picture, so that any resolution can be drawn on.</summary>
public sealed record WordStyle
{
    /// <summary>As in the synthetic world: one dark word on a light plate at the upper or lower left. Default for 64-pixel pictures.</summary>
    public static WordStyle Plate { get; } = new();

    /// <summary>As typographic attacks on photographs vary (varied size, colour with outline, position, rotation and count).</summary>
    public static WordStyle Varied { get; } = new()
    {
        MinSize = 0.08,
        MaxSize = 0.22,
        PlateShare = 0.5,
        Anywhere = true,
        MaxRotation = 15,
        MaxCount = 3,
        Coloured = true,
    };

    /// <summary>Smallest font size as a share of the shorter side. Default 0.25: 16 pixels of 64.</summary>
    public double MinSize { get; init; } = 0.25;

    /// <summary>Largest font size as a share of the shorter side. Default 0.25.</summary>
    public double MaxSize { get; init; } = 0.25;

    /// <summary>Share of words on a plate; the others have an outline. Default 1.</summary>
    public double PlateShare { get; init; } = 1;

    /// <summary>Whether words may be anywhere instead of at the upper or lower left. Default false.</summary>
    public bool Anywhere { get; init; }

    /// <summary>Largest rotation either way, degrees. Default 0.</summary>
    public double MaxRotation { get; init; }

    /// <summary>Most copies of the word on one picture. Default 1.</summary>
    public int MaxCount { get; init; } = 1;

    /// <summary>Whether ink and plate take any colour instead of dark on light. Default false.</summary>
    public bool Coloured { get; init; }
}
