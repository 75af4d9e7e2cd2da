namespace ClipSae.Datasets.World;

/// <summary>
/// What the synthetic world holds. The print is that of the prototype that showed the vulnerability; the shares were searched for the same
/// end.
/// </summary>
public sealed record SyntheticWorldOptions
{
    /// <summary>Every picture follows from this seed and the fonts. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Side of the pictures, pixels. Default 64.</summary>
    public int ImageSize { get; init; } = 64;

    /// <summary>Pictures for pre-training: every word, every font. Default 48,000.</summary>
    public int TrainImages { get; init; } = 48_000;

    /// <summary>Pictures for fine-tuning: no held-out word or font is printed. Default 8,000.</summary>
    public int TuningImages { get; init; } = 8_000;

    /// <summary>Pictures in each evaluation set. Default 800.</summary>
    public int EvaluationImages { get; init; } = 800;

    /// <summary>Share of objects without print in train and tuning. Default 0.45.</summary>
    public double ObjectShare { get; init; } = 0.45;

    /// <summary>Share of objects with their own name printed. Default 0.15.</summary>
    public double OwnNameShare { get; init; } = 0.15;

    /// <summary>
    /// Share, in train alone, of objects with another word printed, captioned by the word or by both; what is left of 1 are words alone.
    /// Captions on the web follow the print, and this is what teaches a model to. Default 0.25.
    /// </summary>
    public double PosterShare { get; init; } = 0.25;

    /// <summary>Smallest side of an object as a share of the picture's. Default 0.5.</summary>
    public double MinObjectSize { get; init; } = 0.5;

    /// <summary>Largest side of an object as a share of the picture's. Default 0.78.</summary>
    public double MaxObjectSize { get; init; } = 0.78;

    /// <summary>
    /// Leaves objects whose names are held out away from the tuning split, so that these names are in no caption either. Default false.
    /// </summary>
    public bool ExcludeHeldOutObjects { get; init; }

    /// <summary>Font size as a share of the picture's side. Default 0.25: 16 pixels of 64.</summary>
    public double FontShare { get; init; } = 0.25;

    /// <summary>Captions of a picture with an object; {colour} and {object} are filled in.</summary>
    public IReadOnlyList<string> ObjectCaptions { get; init; } = ["a photo of a {object}", "a photo of {article} {colour} {object}"];

    /// <summary>Captions of a poster; {object} and {word} are filled in.</summary>
    public IReadOnlyList<string> PosterCaptions { get; init; } = ["a photo of a {word}", "a {object} that says {word}"];

    /// <summary>
    /// Captions of a picture of a word alone; {word} is filled in. The first is what a shop sign's alt text says: the word's sense.
    /// </summary>
    public IReadOnlyList<string> WordCaptions { get; init; } = ["a photo of a {word}", "a sign that says {word}"];
}
