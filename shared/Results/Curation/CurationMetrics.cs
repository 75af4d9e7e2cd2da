using System.Text.Json.Serialization;

namespace ClipSae.Results.Curation;

/// <summary>
/// Metrics of curation in its event. What null stands at was added after the first runs, or belongs to a search or hygiene that was not
/// asked for.
/// </summary>
/// <param name="Hook">Hook point of the autoencoder that is used.</param>
/// <param name="Sae">Its name.</param>
/// <param name="SalientFeatures">Features that are used.</param>
/// <param name="SalientNeurons">Neurons that write them.</param>
/// <param name="Candidates">Printed words.</param>
/// <param name="Fooled">Those that the model named in place of what the picture shows.</param>
/// <param name="FooledByTheWordAlone">Those of them where unreadable strokes in the word's place do not.</param>
/// <param name="Attacks">Attacks chosen.</param>
/// <param name="Natural">Pictures of the data set, as they are, on which the features fire.</param>
/// <param name="Unreadable">Pictures that could not be read, each with its reason.</param>
/// <param name="Before">Nothing ablated.</param>
/// <param name="Ablation">The salient features ablated.</param>
/// <param name="Random">As many random ones, one entry a draw.</param>
public sealed record CurationMetrics(
    string Hook,
    string? Sae,
    int SalientFeatures,
    int SalientNeurons,
    int Candidates,
    int Fooled,
    int? FooledByTheWordAlone,
    int Attacks,
    int Natural,
    IReadOnlyList<string> Unreadable,
    AttackAccuracy Before,
    AttackAccuracy Ablation,
    IReadOnlyList<AttackAccuracy> Random
)
{
    /// <summary>What the search by families of print found.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RedTeamMetrics? RedTeam { get; init; }

    /// <summary>Pictures set apart that were printed on in every family.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyName("familyPictures")]
    public int? FamilyImages { get; init; }

    /// <summary>The family that the model reads best, where it hardly reads the one style that was printed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReadFamily? BetterRead { get; init; }

    /// <summary>Captions that repeat what is printed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CaptionMetrics? Captions { get; init; }
}
