namespace ClipSae.Results.Conversion;

/// <summary>
/// The evidence that what was written is the source: both loaded from disk, one after the other, and run on the same random images and
/// texts.
/// </summary>
/// <param name="Images">Probe images.</param>
/// <param name="Texts">Probe texts.</param>
/// <param name="Seed">Seed of the probes.</param>
/// <param name="Tolerance">Largest relative difference that passes.</param>
/// <param name="Image">Difference of the image features.</param>
/// <param name="Text">Difference of the text features.</param>
/// <param name="WorstWeight">The weight that differs most; null where the format's weights are not compared one by one.</param>
public sealed record ForwardProof(
    int Images,
    int Texts,
    long Seed,
    double Tolerance,
    FeatureDifference Image,
    FeatureDifference Text,
    WeightDifference? WorstWeight
)
{
    /// <summary>Whether both towers agree within the tolerance.</summary>
    public bool Holds => Image.MaxRelative <= Tolerance && Text.MaxRelative <= Tolerance;
}
