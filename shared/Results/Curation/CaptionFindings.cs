using System.Text.Json.Serialization;

namespace ClipSae.Results.Curation;

/// <summary>Pictures whose captions repeat the word printed on them, and what was done.</summary>
/// <param name="Action">Value of <c>curation.captionHygiene</c>.</param>
/// <param name="Images">Pictures with a caption that could be decoded.</param>
/// <param name="Examined">Those whose print was hidden from the model.</param>
/// <param name="Share">Share of the pictures whose captions repeat their print, as estimated.</param>
/// <param name="Detector">How well print was found.</param>
/// <param name="Found">The pictures, most probable first.</param>
/// <param name="Captions">New captions of pictures, by id; none where the picture is left out.</param>
public sealed record CaptionFindings(
    string Action,
    [property: JsonPropertyName("pictures")] int Images,
    int Examined,
    double Share,
    PrintDetectorQuality Detector,
    IReadOnlyList<CaptionFinding> Found,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Captions
)
{
    /// <summary>Patches of pictures that are painted over for fine-tuning, by id; null where none are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, IReadOnlyList<int>>? Hidden { get; init; }
}
