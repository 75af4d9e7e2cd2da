using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;

namespace ClipSae.WeightConversion.Weights;

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
    public ClipCheckpoint Open() => ClipCheckpoint.Open(Path, Name, Vision, Named, Adapter);

    /// <summary>An adapter in PEFT's format that is merged into the weights; null for none.</summary>
    public string? Adapter { get; init; }

    /// <summary>The checkpoint that it was tuned from, for formats that hold what changed; null where it is not known.</summary>
    public string? Base { get; init; }

    /// <summary>The adapter that was trained on the base; null where it is not known.</summary>
    public LowRankAdapter? Form { get; init; }

    /// <summary>The adapter that the checkpoint itself says it was tuned with, or null.</summary>
    /// <exception cref="Contracts.UserErrorException">It cannot be read, or is no CLIP.</exception>
    public LowRankAdapter? TrainedForm()
    {
        using var checkpoint = Open();
        return TrainedAdapter.Of(checkpoint.Metadata);
    }

    /// <summary>The base, with an adapter where one is given.</summary>
    /// <exception cref="Contracts.UserErrorException">It is not known, cannot be read, or is no CLIP.</exception>
    internal ClipCheckpoint OpenBase(string? adapter = null) =>
        ClipCheckpoint.Open(
            Base
                ?? throw new Contracts.UserErrorException(
                    $"{Name}: an adapter is what changed about a base: name the checkpoint that it was tuned from with --base"
                ),
            vision: Vision,
            named: Named,
            adapter: adapter
        );

    /// <summary>Digest of the file, where it is known; it is read for it otherwise.</summary>
    public string? Digest { get; init; }

    /// <summary>What it scored in fine-tuning, next to its base; none where that is not known.</summary>
    public IReadOnlyList<MeasuredAccuracy> Measured { get; init; } = [];

    /// <summary>Digest of the file, or of every file of the folder, by its name.</summary>
    public IReadOnlyDictionary<string, string> FileDigests() =>
        new SortedDictionary<string, string>(
            Directory.Exists(Path)
                ? Directory.EnumerateFiles(Path).ToDictionary(file => System.IO.Path.GetFileName(file), Artifacts.Digest.OfFile)
                : new Dictionary<string, string> { [Name] = Digest ?? Artifacts.Digest.OfFile(Path) },
            StringComparer.Ordinal
        );
}
