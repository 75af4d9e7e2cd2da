using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>How far the features of two models are apart on the same probes.</summary>
/// <param name="MaxAbsolute">Largest difference of a single feature.</param>
/// <param name="MaxRelative">The same as a share of the largest feature of the source.</param>
/// <param name="MinCosine">Smallest cosine between the two feature rows of a probe.</param>
/// <param name="Probe">Probe of the largest difference.</param>
/// <param name="Feature">Feature of the largest difference.</param>
public sealed record FeatureDifference(double MaxAbsolute, double MaxRelative, double MinCosine, int Probe, int Feature)
{
    internal static FeatureDifference Between(torch.Tensor source, torch.Tensor written)
    {
        using var scope = torch.NewDisposeScope();
        var (a, b) = (source.to(torch.float64), written.to(torch.float64));
        var difference = (a - b).abs();
        var worst = difference.argmax().item<long>();
        var cosine = torch.nn.functional.cosine_similarity(a, b, 1, 1e-12).min().item<double>();
        var largest = difference.max().item<double>();
        return new FeatureDifference(largest, Share(largest, a), cosine, (int)(worst / a.shape[1]), (int)(worst % a.shape[1]));
    }

    /// <summary>A difference as a share of the largest element of what it is a difference from.</summary>
    internal static double Share(double difference, torch.Tensor reference)
    {
        var scale = reference.abs().max().to(torch.float64).item<double>();
        return difference == 0 ? 0 : difference / scale;
    }
}
