using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>The weight tensor that differs most between source and written file.</summary>
/// <param name="Key">Its key.</param>
/// <param name="MaxAbsolute">Largest difference of an element.</param>
/// <param name="MaxRelative">The same as a share of the tensor's largest element.</param>
public sealed record WeightDifference(string Key, double MaxAbsolute, double MaxRelative)
{
    /// <summary>Compares the plain weights of two checkpoints, one at a time.</summary>
    internal static WeightDifference Worst(PlainWeights source, PlainWeights written)
    {
        var worst = new WeightDifference("", 0, -1);
        foreach (var (key, _) in source.Shapes.OrderBy(weight => weight.Key, StringComparer.Ordinal))
        {
            using var scope = torch.NewDisposeScope();
            var tensor = source.Read(key);
            var largest = (tensor - written.Read(key)).abs().max().to(torch.float64).item<double>();
            var relative = FeatureDifference.Share(largest, tensor);
            if (double.IsNaN(relative) || relative > worst.MaxRelative)
            {
                worst = new WeightDifference(key, largest, relative);
            }
        }

        return worst;
    }
}
