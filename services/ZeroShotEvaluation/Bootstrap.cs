using System.Numerics;
using System.Runtime.InteropServices;
using ClipSae.Datasets;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>
/// Percentile bootstrap over images. Every figure here is a mean over the images of a set, so one drawing of images serves all figures
/// of all models: their intervals are paired by construction, and a difference between two models is just one more column.
/// </summary>
public static class Bootstrap
{
    private const double Tail = 0.025;

    /// <summary>Means of columns with 95 % intervals.</summary>
    /// <param name="columns">For each figure its value for each image; all of one length.</param>
    /// <param name="resamples">Samples drawn with replacement; a 95 % percentile interval wants at least 1,000 (Efron and Tibshirani 1993, section 13.3).</param>
    /// <param name="seed">Seed of the draws.</param>
    public static IReadOnlyList<Interval> Intervals(IReadOnlyList<float[]> columns, int resamples, long seed)
    {
        if (columns.Count == 0)
        {
            return [];
        }

        var images = columns[0].Length;
        var means = columns.Select(_ => new double[resamples]).ToArray();
        Parallel.For(0, resamples, () => new float[images], (resample, _, counts) =>
        {
            Draw(counts, new SeededRandom(seed, "bootstrap", resample));
            for (var column = 0; column < columns.Count; column++)
            {
                means[column][resample] = Dot(counts, columns[column]) / images;
            }

            return counts;
        }, _ => { });
        return [.. columns.Select((column, index) => Interval(column, means[index]))];
    }

    private static void Draw(float[] counts, SeededRandom random)
    {
        Array.Clear(counts);
        for (var draw = 0; draw < counts.Length; draw++)
        {
            counts[random.Next(counts.Length)]++;
        }
    }

    // Counts and values are small, so float sums of a vector's lanes are exact for 0 and 1 and close for margins.
    private static double Dot(float[] counts, float[] values)
    {
        var sums = Vector<float>.Zero;
        var left = MemoryMarshal.Cast<float, Vector<float>>(counts);
        var right = MemoryMarshal.Cast<float, Vector<float>>(values);
        for (var i = 0; i < left.Length; i++)
        {
            sums += left[i] * right[i];
        }

        double sum = Vector.Sum(sums);
        for (var i = left.Length * Vector<float>.Count; i < counts.Length; i++)
        {
            sum += counts[i] * values[i];
        }

        return sum;
    }

    private static Interval Interval(float[] column, double[] means)
    {
        Array.Sort(means);
        var mean = column.Sum(value => (double)value) / column.Length;
        return new Interval(mean, Quantile(means, Tail), Quantile(means, 1 - Tail));
    }

    // Linear interpolation between order statistics, as numpy.quantile.
    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
