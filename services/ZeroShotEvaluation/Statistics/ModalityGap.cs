using ClipSae.Results.Evaluation;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Statistics;

/// <summary>
/// The modality gap (Liang et al. 2022, section 2): distance between the mean of the image embeddings and the mean of their texts', all of
/// length
/// 1. An image's text is that of its class, or the mean of its captions', so that each image counts once.
/// </summary>
internal static class ModalityGap
{
    private const int MaxCounts = 1 << 24;

    /// <param name="differences">Image less text for each image, [images, embed], float32.</param>
    public static Interval Of(torch.Tensor differences, int resamples, long seed)
    {
        using var scope = torch.NewDisposeScope();
        var images = (int)differences.shape[0];
        var drawn = new double[resamples];
        var batch = Math.Clamp(MaxCounts / images, 1, 64);
        for (var first = 0; first < resamples; first += batch)
        {
            using var step = torch.NewDisposeScope();
            var rows = Math.Min(batch, resamples - first);
            var counts = new float[rows * images];
            Parallel.For(0, rows, row => Bootstrap.Draw(counts.AsSpan(row * images, images), seed, first + row));
            var sums = AlignedTensor.Of(counts, rows, images).matmul(differences).data<float>().ToArray();
            for (var row = 0; row < rows; row++)
            {
                drawn[first + row] = Length(sums.AsSpan(row * sums.Length / rows, sums.Length / rows)) / images;
            }
        }

        return Bootstrap.Centred(Length(differences.to(torch.float64).mean([0L]).to(torch.float32).data<float>().ToArray()), drawn);
    }

    private static double Length(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += (double)value * value;
        }

        return Math.Sqrt(sum);
    }
}
