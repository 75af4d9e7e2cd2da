using System.Text.Json;
using System.Text.Json.Serialization;
using ClipSae.Datasets.Sources;

namespace ClipSae.Datasets.Import;

/// <summary>What a data set holds and what of its source could not be used.</summary>
/// <param name="Format">Always <see cref="CurrentFormat"/>.</param>
/// <param name="Name">The data set's name.</param>
/// <param name="Rows">Rows (or pictures) that the source has.</param>
/// <param name="Items">The usable pictures, in order.</param>
/// <param name="Labels">Pictures by class, for sources with labels.</param>
/// <param name="ProblemCounts">Unusable rows by kind.</param>
/// <param name="Problems">Each of them.</param>
/// <param name="Shards">The tar files, in order.</param>
public sealed record DatasetManifest(
    string Format,
    string Name,
    int Rows,
    IReadOnlyList<ManifestItem> Items,
    IReadOnlyDictionary<string, int> Labels,
    IReadOnlyDictionary<string, int> ProblemCounts,
    IReadOnlyList<ImportProblem> Problems,
    IReadOnlyList<ManifestShard> Shards
)
{
    public const string CurrentFormat = "clipsae-dataset/1";

    public const string MediaType = "application/vnd.clipsae.dataset+json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Reads a manifest file.</summary>
    /// <exception cref="UserErrorException">The file is no manifest of this format.</exception>
    public static DatasetManifest Load(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var manifest = JsonSerializer.Deserialize<DatasetManifest>(stream, Json);
            return manifest is { Format: CurrentFormat, Items: not null, Shards: not null }
                ? manifest
                : throw new UserErrorException($"{path} is not a data set manifest of format {CurrentFormat}. Import the data set again.");
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{path} is not a data set manifest: {error.Message} Import the data set again.", error);
        }
    }

    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}
