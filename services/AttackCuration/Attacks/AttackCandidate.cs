using ClipSae.Datasets.Drawing;

namespace ClipSae.AttackCuration.Attacks;

/// <summary>A word printed on a picture, once or several times, and what CLIP and the SAE make of it.</summary>
/// <param name="Source">Index of the picture among the sources.</param>
/// <param name="Shown">How the word is drawn, one entry a copy; drawing them again gives the same pixels.</param>
/// <param name="Label">What the picture shows.</param>
/// <param name="Margin">Logit of the printed word minus logit of the object: above 0, CLIP takes the word for the object.</param>
/// <param name="Fooled">The word wins over every class and word.</param>
/// <param name="Visible">With unreadable strokes in place of the word the object wins: it is the word that fools CLIP, not the plate that
/// covers the object.</param>
/// <param name="Activation">Salience-weighted activation of the text-salient features.</param>
/// <param name="Features">The text-salient features that fire most on it, weighted with their salience; strongest first.</param>
/// <param name="Neurons">The salient neurons that write most into these features because of the word, against its unreadable control;
/// strongest first.</param>
public sealed record AttackCandidate(
    int Source,
    IReadOnlyList<WordPlacement> Shown,
    string Label,
    double Margin,
    bool Fooled,
    bool Visible,
    double Activation,
    IReadOnlyList<int> Features,
    IReadOnlyList<(int Layer, int Index)> Neurons
)
{
    /// <summary>Family of print; null where all is printed in one style.</summary>
    public string? Family { get; init; }

    public string Word => Shown[0].Word;

    /// <summary>Face of the first copy.</summary>
    public string Font => Shown[0].Font;
}
