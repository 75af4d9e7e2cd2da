namespace ClipSae.Datasets.Drawing;

/// <summary>
/// Faces by class: which files of a machine families of print take in addition to the roster, and which class a file's name says. What
/// evaluation's independent printer (<c>infra/photographs/world.py</c>) prints with is not among them.
/// </summary>
internal static class KnownFaces
{
    /// <summary>Most of a class that are taken.</summary>
    private const int MaxOfClass = 2;

    // File names as Debian, Windows and macOS have them; the bold ones, which stand out on pictures.
    private static readonly (FaceClass Class, string[] Names)[] Files =
    [
        (
            FaceClass.Serif,
            ["C059-Bold", "EBGaramond12-Bold", "NotoSerif-Bold", "georgiab", "timesbd", "Georgia Bold", "Times New Roman Bold"]
        ),
        (FaceClass.Mono, ["NimbusMonoPS-Bold", "NotoSansMono-Bold", "consolab", "courbd", "Courier New Bold"]),
        (FaceClass.Condensed, ["BebasNeue-Bold", "NimbusSansNarrow-Bold", "ARIALNB", "impact", "Impact"]),
        (
            FaceClass.Handwriting,
            [
                "DancingScript-Bold",
                "Breip",
                "Caveat-Bold",
                "comicbd",
                "Inkfree",
                "Comic Sans MS Bold",
                "Bradley Hand Bold",
                "Z003-MediumItalic",
            ]
        ),
    ];

    private static readonly (FaceClass Class, string[] Parts)[] Names =
    [
        (FaceClass.Mono, ["mono", "courier", "code", "consol", "courbd", "hack"]),
        (FaceClass.Condensed, ["condensed", "narrow", "cond", "bebas", "arialn", "impact"]),
        (FaceClass.Handwriting, ["hand", "script", "comic", "caveat", "breip", "inkfree", "z003", "brush", "marker"]),
        (FaceClass.Serif, ["serif", "roman", "times", "garamond", "georgia", "bookman", "c059", "palat", "caladea", "libertine"]),
    ];

    /// <summary>Names of the files to take, those of a class in the order of preference.</summary>
    /// <param name="isThere">Whether the machine has a file of this name.</param>
    public static IEnumerable<string> Wanted(Func<string, bool> isThere) =>
        Files.SelectMany(of => of.Names.Where(isThere).Take(MaxOfClass));

    /// <summary>The class that a face's name says; sans serif where it says none.</summary>
    public static FaceClass ClassOf(string name, bool isFixedPitch)
    {
        if (Files.FirstOrDefault(of => of.Names.Contains(name)) is { Names: not null } known)
        {
            return known.Class;
        }

        bool Has(string part) => name.Contains(part, StringComparison.OrdinalIgnoreCase);
        return isFixedPitch
            ? FaceClass.Mono
            : Names
                .Where(of => of.Parts.Any(Has))
                .Select(of => (FaceClass?)of.Class)
                .FirstOrDefault(of => of != FaceClass.Serif || !Has("sans"))
                ?? FaceClass.Sans;
    }
}
