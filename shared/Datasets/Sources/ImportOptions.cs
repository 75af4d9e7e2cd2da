using ClipSae.Imaging.Decoding;

namespace ClipSae.Datasets.Sources;

/// <summary>How a folder of captioned pictures is read and packed.</summary>
public sealed record ImportOptions
{
    /// <summary>Caption file (JSON, CSV or TSV), absolute or relative to the folder. Default null: looked for in the folder.</summary>
    public string? CaptionFile { get; init; }

    /// <summary>Name recorded in the manifest. Default null: the folder's name.</summary>
    public string? Name { get; init; }

    /// <summary>Pictures in a shard, the piece that one extraction unit works on. Default 2,000.</summary>
    public int ShardItems { get; init; } = 2_000;

    /// <summary>Bytes of pictures after which a shard is closed. Default 256 MiB.</summary>
    public long ShardBytes { get; init; } = 256L << 20;

    /// <summary>Share of rows that may be unusable. Default 0.05; above it the import fails. Duplicates do not count.</summary>
    public double MaxProblemShare { get; init; } = 0.05;

    /// <summary>What a picture may ask for.</summary>
    public DecodeLimits Limits { get; init; } = DecodeLimits.Default;

    /// <summary>
    /// Whether pictures are converted to RGB before anything resizes them, as transformers' preprocessors do: those that are kept otherwise
    /// are packed as PNG in RGB. Default false: openai/CLIP resizes first.
    /// </summary>
    public bool ConvertFirst { get; init; }

    /// <summary>Whether every item needs a label, as for classification. Default false.</summary>
    public bool LabelsNeeded { get; init; }

    /// <summary>
    /// Classes that must be there at least where labels are needed. Default 2; 1 where the classes to choose from are known otherwise.
    /// </summary>
    public int MinClasses { get; init; } = 2;

    /// <summary>Caption of a picture known by its class alone. Default "a photo of a {class}" (CLIP, section 3.1.4).</summary>
    public string ClassCaption { get; init; } = "a photo of a {class}";

    /// <summary>Pictures read ahead while a shard is written. Default 16.</summary>
    public int ReadAhead { get; init; } = 16;
}
