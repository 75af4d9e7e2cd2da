namespace ClipSae.Datasets;

/// <summary>
/// How words are printed on pictures for attacks. Lengths are shares of the picture, so that any resolution can be drawn on. The defaults vary as
/// typographic attacks on photographs do: size, colour with outline, position, rotation and count.
/// </summary>
public sealed record WordStyle
{
    /// <summary>As in the synthetic world: one dark word on a light plate at the upper or lower left; 16 pixels of 64.</summary>
    public static WordStyle Plate { get; } = new()
    {
        MinSize = 0.25,
        MaxSize = 0.25,
        PlateShare = 1,
        Anywhere = false,
        MaxRotation = 0,
        MaxCount = 1,
        Coloured = false,
        Places = 1,
    };

    /// <summary>Smallest font size as a share of the shorter side. Default 0.08.</summary>
    public double MinSize { get; init; } = 0.08;

    /// <summary>Largest font size as a share of the shorter side. Default 0.22.</summary>
    public double MaxSize { get; init; } = 0.22;

    /// <summary>Share of words on a plate; the others have an outline. Default 0.5.</summary>
    public double PlateShare { get; init; } = 0.5;

    /// <summary>Whether words may be anywhere instead of at the upper or lower left. Default true.</summary>
    public bool Anywhere { get; init; } = true;

    /// <summary>Largest rotation either way, degrees. Default 15.</summary>
    public double MaxRotation { get; init; } = 15;

    /// <summary>Most copies of the word on one picture. Default 3.</summary>
    public int MaxCount { get; init; } = 3;

    /// <summary>Whether ink and plate take any colour instead of dark on light. Default true.</summary>
    public bool Coloured { get; init; } = true;

    /// <summary>
    /// Places tried for a word; the one that hides least of the picture's detail is taken. People put words where nothing is, and a plate over the
    /// object would fool CLIP by itself. Default 4.
    /// </summary>
    public int Places { get; init; } = 4;
}
