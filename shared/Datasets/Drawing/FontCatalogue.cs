using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SkiaSharp;

namespace ClipSae.Datasets.Drawing;

/// <summary>
/// The faces that words are drawn with, loaded by file because a program in a container sees no system fonts.
/// <para>Roster: DejaVu Sans, Sans Condensed, Serif and Sans Mono, all bold, for tuning; Inter Bold, DejaVu Serif Bold Italic and DejaVu
/// Sans Mono Bold Oblique held out. Without DejaVu the Inter faces that this build carries stand in: upright for tuning, slanted and
/// thinner ones held out. A folder given by the user replaces the roster: every third of its faces (bold ones if there are six) is held
/// out.</para>
/// <para>Families of print ask for faces by class: those of the roster, and others of <see cref="KnownFaces"/> that the machine has.</para>
/// </summary>
public sealed class FontCatalogue : IDisposable
{
    private const float Oblique = -0.25f;

    private static readonly string[] TuningDejaVu =
    [
        "DejaVuSans-Bold",
        "DejaVuSansCondensed-Bold",
        "DejaVuSerif-Bold",
        "DejaVuSansMono-Bold",
    ];

    private static readonly string[] HeldOutDejaVu = ["Inter-Bold", "DejaVuSerif-BoldItalic", "DejaVuSansMono-BoldOblique"];

    private readonly Dictionary<string, FontFace> _faces;
    private readonly ILookup<FaceClass, string> _classes;
    private readonly ConcurrentDictionary<(string, string), float> _widths = new();

    private FontCatalogue(IReadOnlyList<FontFace> tuning, IReadOnlyList<FontFace> heldOut, IReadOnlyList<FontFace>? found = null)
    {
        Tuning = tuning;
        HeldOut = heldOut;
        found ??= [];
        _faces = tuning.Concat(heldOut).Concat(found).ToDictionary(face => face.Name);
        _classes = tuning.Concat(found).ToLookup(face => KnownFaces.ClassOf(face.Name, face.Typeface.IsFixedPitch), face => face.Name);
        Digest = Hash(
            Encoding.UTF8.GetBytes(string.Concat(All.Select((face, place) => Line(place < tuning.Count ? "tuning" : "held-out", face))))
        );
        WholeDigest =
            found.Count == 0 ? Digest : Hash(Encoding.UTF8.GetBytes(Digest + string.Concat(found.Select(face => Line("found", face)))));
    }

    /// <summary>
    /// SHA-256, hexadecimal, of the faces by name, part and content: what is drawn follows from it, wherever the files are.
    /// </summary>
    public string Digest { get; }

    /// <summary>The same of these faces and of those that only families of print take.</summary>
    public string WholeDigest { get; }

    /// <summary>
    /// Names of the faces of a class that fine-tuning may see, null for the whole roster's; none where the machine has none.
    /// </summary>
    public IReadOnlyList<string> Of(FaceClass? faces) => faces is { } one ? [.. _classes[one]] : [.. Tuning.Select(face => face.Name)];

    /// <summary>Faces that pictures for fine-tuning may use.</summary>
    public IReadOnlyList<FontFace> Tuning { get; }

    /// <summary>Faces kept for evaluation.</summary>
    public IReadOnlyList<FontFace> HeldOut { get; }

    public IEnumerable<FontFace> All => Tuning.Concat(HeldOut);

    /// <exception cref="UserErrorException">No such face here.</exception>
    public FontFace this[string name] =>
        _faces.TryGetValue(name, out var face)
            ? face
            : throw new UserErrorException(
                $"The font \"{name}\" is not among those found ({string.Join(", ", _faces.Keys)}). Install it or point to its folder."
            );

    /// <param name="folder">Font files of the user's own; null takes the roster.</param>
    /// <exception cref="UserErrorException">The folder is missing or holds too few fonts.</exception>
    public static FontCatalogue Load(string? folder = null) => folder is null ? FromRoster(SystemFolders()) : FromFolder(folder);

    /// <summary>The roster with DejaVu looked for in the given folders only.</summary>
    public static FontCatalogue FromRoster(IEnumerable<string> folders)
    {
        var inter = InterFonts.Read().ToDictionary(font => font.Name, font => font.File);
        var files = folders
            .Where(Directory.Exists)
            .SelectMany(folder => Files(folder))
            .GroupBy(Path.GetFileNameWithoutExtension)
            .ToDictionary(group => group.Key!, group => group.First());
        var wanted = TuningDejaVu.Concat(HeldOutDejaVu).Where(name => !inter.ContainsKey(name));
        if (wanted.All(files.ContainsKey))
        {
            FontFace Face(string name) => inter.TryGetValue(name, out var file) ? Carried(name, file) : FromFile(name, files[name]);
            return new FontCatalogue([.. TuningDejaVu.Select(Face)], [.. HeldOutDejaVu.Select(Face)], Found(files));
        }

        FontFace Inter(string name, float slant = 0) => Carried(name, inter[name], slant);
        return new FontCatalogue(
            [Inter("Inter-Bold"), Inter("Inter-SemiBold"), Inter("Inter-Medium"), Inter("Inter-Bold", Oblique)],
            [Inter("Inter-Regular"), Inter("Inter-SemiBold", Oblique)],
            Found(files)
        );
    }

    /// <summary>
    /// Those of the faces that have every letter of a word; the roster's that do where none of them has, and the given ones where nothing
    /// does.
    /// </summary>
    public IReadOnlyList<string> Covering(string word, IReadOnlyList<string> faces)
    {
        if (word.All(char.IsAscii))
        {
            return faces;
        }

        string[] Having(IEnumerable<string> of) => [.. of.Where(face => this[face].Has(word))];
        return Having(faces) is { Length: > 0 } own ? own
            : Having(Tuning.Select(face => face.Name)) is { Length: > 0 } others ? others
            : faces;
    }

    /// <summary>Whether a face of the roster has every letter of a word.</summary>
    public bool CanDraw(string word) => Tuning.Any(face => face.Has(word));

    /// <summary>Width of a word at a size of one pixel.</summary>
    public float WidthPerPixel(string word, FontFace face) => _widths.GetOrAdd((word, face.Name), key =>
        {
            using var font = face.At(100);
            return font.MeasureText(key.Item1) / 100;
        });

    public void Dispose()
    {
        foreach (var face in _faces.Values)
        {
            face.Typeface.Dispose();
        }
    }

    private static FontFace[] Found(IReadOnlyDictionary<string, string> files) =>
        [.. KnownFaces.Wanted(files.ContainsKey).Select(name => FromFile(name, files[name]))];

    private static string Line(string part, FontFace face) =>
        string.Create(CultureInfo.InvariantCulture, $"{part} {face.Name} {face.Slant} {face.File}\n");

    private static FontCatalogue FromFolder(string folder)
    {
        UserErrorException.ThrowIf(
            !Directory.Exists(folder),
            $"The fonts folder {folder} does not exist. Give a folder with .ttf or .otf files, or none for the bundled fonts."
        );

        var faces = Files(folder)
            .Select(file => FromFile(Path.GetFileNameWithoutExtension(file), file))
            .DistinctBy(face => face.Name)
            .ToList();
        var bold = faces.Where(face => face.Typeface.IsBold).ToList();
        var used = bold.Count >= 6 ? bold : faces;
        UserErrorException.ThrowIf(
            used.Count < 3,
            $"The fonts folder {folder} contains {used.Count} fonts; at least 3 are needed, so that one can be held out."
        );

        return new FontCatalogue([.. used.Where((_, index) => index % 3 != 2)], [.. used.Where((_, index) => index % 3 == 2)]);
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory
            .EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Where(file => Path.GetExtension(file).ToUpperInvariant() is ".TTF" or ".OTF")
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> SystemFolders()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return
        [
            "/usr/share/fonts",
            "/usr/local/share/fonts",
            Path.Combine(home, ".local/share/fonts"),
            Path.Combine(home, ".fonts"),
            "/Library/Fonts",
            Path.Combine(home, "Library/Fonts"),
            "/opt/homebrew/share/fonts",
            Environment.GetFolderPath(Environment.SpecialFolder.Fonts),
        ];
    }

    private static FontFace FromFile(string name, string path)
    {
        var file = File.ReadAllBytes(path);
        return new FontFace(name)
        {
            File = Hash(file),
            Typeface = Open(file) ?? throw new UserErrorException($"The font {path} cannot be read. Replace or remove it."),
        };
    }

    private static FontFace Carried(string name, byte[] file, float slant = 0) =>
        new(slant == 0 ? name : name + "-Slanted", slant)
        {
            File = Hash(file),
            Typeface = Open(file) ?? throw new InvalidOperationException($"The bundled font {name} cannot be read."),
        };

    private static SKTypeface? Open(byte[] file)
    {
        using var data = SKData.CreateCopy(file);
        return SKTypeface.FromData(data);
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
