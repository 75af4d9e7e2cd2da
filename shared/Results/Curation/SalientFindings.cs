using System.Text.Json.Serialization;

namespace ClipSae.Results.Curation;

/// <summary>What curation found of the features that read text: for fine-tuning, the report and people.</summary>
/// <param name="Hook">Hook point of the autoencoder that is used.</param>
/// <param name="Sae">Its name, which begins with the hook point's.</param>
/// <param name="Share">Share of its live features that are taken as salient.</param>
/// <param name="Firing">Salience-weighted activation above which the features count as firing.</param>
/// <param name="Pairs">Pairs of pictures, with a word and without one, that features were chosen on.</param>
/// <param name="Classes">Object classes.</param>
/// <param name="HeldOutWords">Words that were never printed.</param>
/// <param name="HeldOutFonts">Faces that were never printed in.</param>
/// <param name="Layers">Every autoencoder at every share: what switching its salient features off does.</param>
/// <param name="Features">The features that are used, most salient first.</param>
/// <param name="RandomFeatures">As many random features that fire as often, for control arms: one list a seed, in turn.</param>
/// <param name="Neurons">MLP neurons that write the features, highest score of a layer first.</param>
/// <param name="NeuronAblation">What silencing them does.</param>
public sealed record SalientFindings(
    string Hook,
    string Sae,
    double Share,
    double Firing,
    int Pairs,
    IReadOnlyList<string> Classes,
    IReadOnlyList<string> HeldOutWords,
    IReadOnlyList<string> HeldOutFonts,
    IReadOnlyList<AblatedLayer> Layers,
    IReadOnlyList<SalientFeature> Features,
    IReadOnlyList<IReadOnlyList<int>> RandomFeatures,
    IReadOnlyList<SalientNeuron> Neurons,
    NeuronAblation NeuronAblation
)
{
    /// <summary>Captions that repeat what is printed; null where none were looked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CaptionFindings? CaptionHygiene { get; init; }
}
