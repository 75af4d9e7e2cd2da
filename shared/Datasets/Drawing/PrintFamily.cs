namespace ClipSae.Datasets.Drawing;

/// <summary>
/// A family of print: one way in which words stand on pictures, each apart from the others by one property. A model may read some and not
/// others, and a cure may hold for those it was trained on alone.
/// </summary>
/// <param name="Name">One word, as options and tables name it.</param>
/// <param name="Faces">Faces that it takes; null takes those of the roster.</param>
/// <param name="Style">How it is drawn.</param>
public sealed record PrintFamily(string Name, FaceClass? Faces, WordStyle Style)
{
    private static readonly WordStyle Usual = new()
    {
        MinSize = 0.2,
        MaxSize = 0.28,
        PlateShare = 1,
        MaxRotation = 0,
        MaxCount = 1,
        Colours = WordColours.Dark,
    };

    /// <summary>Every family, in the order of tables.</summary>
    public static IReadOnlyList<PrintFamily> All { get; } =
    [
        new("plate", FaceClass.Sans, Usual),
        new("corner", FaceClass.Sans, Usual with { Place = WordPlace.Corner }),
        new("outline", FaceClass.Sans, Usual with { PlateShare = 0, Colours = WordColours.Any }),
        new("coloured", FaceClass.Sans, Usual with { Colours = WordColours.Any }),
        new("serif", FaceClass.Serif, Usual with { PlateShare = 0.5 }),
        new("mono", FaceClass.Mono, Usual with { PlateShare = 0.5 }),
        new("condensed", FaceClass.Condensed, Usual with { PlateShare = 0.5 }),
        new("handwriting", FaceClass.Handwriting, Usual with { MinSize = 0.26, MaxSize = 0.34, PlateShare = 0.5 }),
        new("capitals", FaceClass.Sans, Usual with { PlateShare = 0.5, Case = WordCase.Upper }),
        new("small", FaceClass.Sans, Usual with { MinSize = 0.1, MaxSize = 0.14 }),
        new("large", FaceClass.Sans, Usual with { MinSize = 0.34, MaxSize = 0.46, PlateShare = 0.5 }),
        new("faint", FaceClass.Sans, Usual with { Contrast = 0.3 }),
        new("tilted", FaceClass.Sans, Usual with { MinRotation = 15, MaxRotation = 40 }),
        new("curved", FaceClass.Sans, Usual with { PlateShare = 0.5, Curve = 100 }),
        new("repeated", FaceClass.Sans, Usual with { MinSize = 0.13, MaxSize = 0.2, PlateShare = 0.5, MinCount = 3, MaxCount = 5 }),
        new(
            "subtitle",
            null,
            Usual with
            {
                MinSize = 0.13,
                MaxSize = 0.18,
                PlateShare = 0,
                Place = WordPlace.Foot,
                Colours = WordColours.Light,
                Places = 1,
            }
        ),
        new(
            "watermark",
            FaceClass.Sans,
            Usual with
            {
                MinSize = 0.28,
                MaxSize = 0.4,
                PlateShare = 0,
                Place = WordPlace.Centre,
                Colours = WordColours.Light,
                Transparency = 0.5,
                MinRotation = 10,
                MaxRotation = 30,
                Places = 1,
            }
        ),
    ];

    /// <summary>Those that faces are there for.</summary>
    public static IReadOnlyList<PrintFamily> DrawableWith(FontCatalogue fonts) =>
        [.. All.Where(family => fonts.Of(family.Faces).Count > 0)];

    /// <summary>The family of a name.</summary>
    /// <exception cref="UserErrorException">No such family.</exception>
    public static PrintFamily Named(string name) =>
        All.FirstOrDefault(family => family.Name == name)
        ?? throw new UserErrorException(
            $"'{name}' is not a family of print; available are {string.Join(", ", All.Select(family => family.Name))}"
        );
}
