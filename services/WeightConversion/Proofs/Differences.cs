using ClipSae.Results.Conversion;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Proofs;

/// <summary>How far two models are apart, in features and in weights.</summary>
internal static class Differences
{
    /// <summary>Compares features on the same probes, [probes, embed].</summary>
    public static FeatureDifference OfFeatures(torch.Tensor source, torch.Tensor written)
    {
        using var scope = torch.NewDisposeScope();
        var (a, b) = (source.to(torch.float64), written.to(torch.float64));
        var difference = (a - b).abs();
        var worst = difference.argmax().item<long>();
        var cosine = torch.nn.functional.cosine_similarity(a, b, 1, 1e-12).min().item<double>();
        var largest = difference.max().item<double>();
        return new FeatureDifference(largest, Share(largest, a), cosine, (int)(worst / a.shape[1]), (int)(worst % a.shape[1]));
    }

    /// <summary>Compares the plain weights of two checkpoints, one at a time.</summary>
    public static WeightDifference WorstOfWeights(PlainWeights source, PlainWeights written)
    {
        var worst = new WeightDifference("", 0, -1);
        foreach (var (key, _) in source.Shapes.OrderBy(weight => weight.Key, StringComparer.Ordinal))
        {
            using var scope = torch.NewDisposeScope();
            var tensor = source.Read(key);
            var largest = (tensor - written.Read(key)).abs().max().to(torch.float64).item<double>();
            var relative = Share(largest, tensor);
            if (double.IsNaN(relative) || relative > worst.MaxRelative)
            {
                worst = new WeightDifference(key, largest, relative);
            }
        }

        return worst;
    }

    /// <summary>A difference as a share of the largest element of what it is a difference from.</summary>
    private static double Share(double difference, torch.Tensor reference)
    {
        var scale = reference.abs().max().to(torch.float64).item<double>();
        return difference == 0 ? 0 : difference / scale;
    }
}
