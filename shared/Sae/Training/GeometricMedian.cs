using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Training;

/// <summary>The point whose summed distance to all samples is least, by Weiszfeld's iteration.</summary>
public static class GeometricMedian
{
    /// <param name="samples">[rows, d].</param>
    /// <returns>[d], float32.</returns>
    public static Tensor Of(Tensor samples, int iterations = 50)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var median = samples.mean([0]);
        for (var i = 0; i < iterations; i++)
        {
            using var step = NewDisposeScope();
            // A sample that the estimate has reached would weigh infinitely much.
            var weights = (samples - median).norm(1, false, 2).AtLeast(1e-8).reciprocal();
            median.copy_(weights.matmul(samples).div_(weights.sum()));
        }

        return median.MoveToOuterDisposeScope();
    }
}
