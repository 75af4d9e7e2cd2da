namespace ClipSae.Datasets.World;

/// <summary>What the synthetic world is made of. Every word fits 64 pixels at a font size of about 16.</summary>
public static class WorldVocabulary
{
    /// <summary>
    /// The object classes, each with a shape of its own. None starts with a vowel, so that "a photo of a …" is always right.
    /// </summary>
    public static IReadOnlyList<string> Objects { get; } =
    [
        "bell",
        "bird",
        "boat",
        "book",
        "car",
        "cat",
        "clock",
        "crown",
        "cup",
        "fish",
        "hat",
        "heart",
        "house",
        "key",
        "kite",
        "lamp",
        "leaf",
        "moon",
        "star",
        "tree",
    ];

    /// <summary>Words that are printed and name no object here.</summary>
    public static IReadOnlyList<string> OtherWords { get; } =
    ["gold", "jazz", "menu", "milk", "news", "park", "sale", "taxi", "tour", "zone"];

    /// <summary>Object names that pictures for fine-tuning never show in print.</summary>
    public static IReadOnlyList<string> HeldOutObjects { get; } = ["clock", "fish", "key", "lamp"];

    /// <summary>Other words that pictures for fine-tuning never show in print.</summary>
    public static IReadOnlyList<string> HeldOutOtherWords { get; } = ["gold", "jazz", "park", "zone"];

    public static IReadOnlyList<string> HeldOutWords { get; } = [.. HeldOutObjects, .. HeldOutOtherWords];

    public static IReadOnlyList<string> Words { get; } = [.. Objects, .. OtherWords];

    public static IReadOnlyList<string> TuningWords { get; } = [.. Words.Except(HeldOutWords)];

    /// <summary>Colour names and values.</summary>
    public static IReadOnlyList<(string Name, uint Rgb)> Colours { get; } =
    [
        ("red", 0xDF2E2B),
        ("orange", 0xF58A1F),
        ("yellow", 0xF6D11E),
        ("green", 0x2FA84F),
        ("blue", 0x2B6BE4),
        ("purple", 0x8A3DC6),
        ("pink", 0xF572B4),
        ("brown", 0x8A5A33),
    ];
}
