namespace ClipSae.Results.Conversion;

/// <summary>The proof of the weights that the run continues with, and that of every format.</summary>
/// <param name="Images">Probe images.</param>
/// <param name="Texts">Probe texts.</param>
/// <param name="Seed">Seed of the probes.</param>
/// <param name="Tolerance">Largest relative difference that passes.</param>
/// <param name="Image">Difference of the image features.</param>
/// <param name="Text">Difference of the text features.</param>
/// <param name="WorstWeight">The weight that differs most; null where weights are not compared one by one.</param>
/// <param name="Holds">Whether both towers agree within the tolerance.</param>
/// <param name="Dtype">Precision of the written weights.</param>
/// <param name="GeometricLayers">Linear layers of the source that are in Geometric Parametrization.</param>
/// <param name="Source">Digest of the source.</param>
/// <param name="Written">Digest of the written weights.</param>
/// <param name="Formats">A proof for each part that loads by itself, by its path.</param>
public sealed record ConversionProof(
    int Images,
    int Texts,
    long Seed,
    double Tolerance,
    FeatureDifference Image,
    FeatureDifference Text,
    WeightDifference? WorstWeight,
    bool Holds,
    string Dtype,
    int GeometricLayers,
    string Source,
    string Written,
    IReadOnlyDictionary<string, ForwardProof> Formats
);
