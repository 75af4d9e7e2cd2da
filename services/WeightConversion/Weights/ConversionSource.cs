using ClipSae.Clip;

namespace ClipSae.WeightConversion;

/// <summary>Where the weights come from.</summary>
/// <param name="Path">File or folder.</param>
/// <param name="Name">What to call it in errors and on the model card.</param>
/// <param name="Vision">Checkpoint of the vision tower, where the source is a text encoder alone.</param>
/// <param name="Named">What the user says of the model, where nothing else does.</param>
public sealed record ConversionSource(string Path, string Name, string? Vision = null, ModelTraits? Named = null)
{
    /// <summary>A checkpoint that has every weight of a CLIP.</summary>
    public string Whole => Vision ?? Path;

    /// <exception cref="Contracts.UserErrorException">It cannot be read, or is no CLIP.</exception>
    public ClipCheckpoint Open() => ClipCheckpoint.Open(Path, Name, Vision, Named);

    /// <summary>Digest of the file, where it is known; it is read for it otherwise.</summary>
    public string? Digest { get; init; }

    /// <summary>What it scored in fine-tuning, beside its base; none where that is not known.</summary>
    public IReadOnlyList<MeasuredAccuracy> Measured { get; init; } = [];

    /// <summary>Digest of the file, or of every file of the folder, by its name.</summary>
    public IReadOnlyDictionary<string, string> FileDigests() => new SortedDictionary<string, string>(
        Directory.Exists(Path)
            ? Directory.EnumerateFiles(Path).ToDictionary(file => System.IO.Path.GetFileName(file), Artifacts.Digest.OfFile)
            : new Dictionary<string, string> { [Name] = Digest ?? Artifacts.Digest.OfFile(Path) },
        StringComparer.Ordinal);
}
