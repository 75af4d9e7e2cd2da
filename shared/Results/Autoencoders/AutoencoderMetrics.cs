using System.Text.Json.Serialization;

namespace ClipSae.Results.Autoencoders;

/// <summary>Quality of an autoencoder on rows that training did not see, shares as fractions, and how it was trained.</summary>
/// <param name="Fvu">Share of the variance that is not explained.</param>
/// <param name="ExplainedVariance">1 less that; negative where it reconstructs worse than the mean would.</param>
/// <param name="Cosine">Of reconstruction and row.</param>
/// <param name="L0">Features that fire on a row.</param>
/// <param name="Dead">Share of features that fire on no row.</param>
/// <param name="Dense">Share of features that fire on more than a tenth of them.</param>
/// <param name="HeldOutRows">Rows that these are measured on.</param>
/// <param name="Variant">Kind of autoencoder.</param>
/// <param name="Latents">Its features.</param>
/// <param name="K">Features that may fire on a row.</param>
/// <param name="Steps">Training steps.</param>
/// <param name="TrainingRows">Rows trained on.</param>
/// <param name="DeadAfterSamples">Rows without firing after which a feature counts as dead in training.</param>
public sealed record AutoencoderMetrics(
    double Fvu,
    double ExplainedVariance,
    double Cosine,
    double L0,
    double Dead,
    double Dense,
    long HeldOutRows,
    string Variant,
    int Latents,
    int K,
    long Steps,
    long TrainingRows,
    long DeadAfterSamples
)
{
    /// <summary>How alike the images are that a feature fires on, a cosine; null without image embeddings.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Monosemanticity { get; init; }

    /// <summary>How alike any images are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MonosemanticityBaseline { get; init; }

    /// <summary>Zero-shot accuracy without the reconstruction; null without labelled pictures.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ZeroShot { get; init; }

    /// <summary>The same with the reconstruction in the activations' place.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ZeroShotReconstructed { get; init; }

    /// <summary>The second over the first.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ZeroShotRecovered { get; init; }
}
