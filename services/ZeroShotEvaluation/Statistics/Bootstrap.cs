using System.Numerics;
using System.Runtime.InteropServices;
using ClipSae.Datasets;
using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Statistics;

/// <summary>
/// Percentile bootstrap over images. One drawing of images serves all statistics of all models of a set: their intervals are paired by
/// construction, and a difference between two models is just one more statistic.
/// </summary>
public static class Bootstrap
{
    private const double Tail = 0.025;

    /// <summary>Means of columns with 95 % intervals.</summary>
    /// <param name="columns">For each statistic its value for each image; all of one length.</param>
    /// <param name="resamples">Samples drawn with replacement; a 95 % percentile interval wants at least 1,000 (Efron and Tibshirani 1993,
    /// section 13.3).</param>
    /// <param name="seed">Seed of the draws.</param>
    public static IReadOnlyList<Interval> Intervals(IReadOnlyList<float[]> columns, int resamples, long seed) =>
        Intervals([.. columns.Select(MeanStatistic.Of)], resamples, seed);

    /// <summary>Statistics with 95 % intervals.</summary>
    public static IReadOnlyList<Interval> Intervals(IReadOnlyList<MeanStatistic> statistics, int resamples, long seed)
    {
        if (statistics.Count == 0)
        {
            return [];
        }

        var images = statistics[0].Columns[0].Length;
        var drawn = statistics.Select(_ => new double[resamples]).ToArray();
        Parallel.For(
            0,
            resamples,
            () => new float[images],
            (resample, _, counts) =>
            {
                Draw(counts, seed, resample);
                for (var statistic = 0; statistic < statistics.Count; statistic++)
                {
                    drawn[statistic][resample] = statistics[statistic]
                        .Combine([.. statistics[statistic].Columns.Select(column => Dot(counts, column) / images)]);
                }

                return counts;
            },
            _ => { }
        );
        return
        [
            .. statistics.Select(
                (statistic, index) =>
                {
                    var value = statistic.Combine([.. statistic.Columns.Select(column => column.Sum(value => (double)value) / images)]);
                    return statistic.GrowsByResampling ? Centred(value, drawn[index]) : Interval(value, drawn[index]);
                }
            ),
        ];
    }

    /// <summary>How often each image is drawn in a resample.</summary>
    /// <param name="counts">One place for each image.</param>
    internal static void Draw(Span<float> counts, long seed, int resample)
    {
        var random = new SeededRandom(seed, "bootstrap", resample);
        counts.Clear();
        for (var draw = 0; draw < counts.Length; draw++)
        {
            counts[random.Next(counts.Length)]++;
        }
    }

    /// <summary>The percentile interval of a statistic.</summary>
    /// <param name="value">The statistic itself.</param>
    /// <param name="drawn">What it was in each resample; sorted here.</param>
    internal static Interval Interval(double value, double[] drawn)
    {
        Array.Sort(drawn);
        return new Interval(value, Quantile(drawn, Tail), Quantile(drawn, 1 - Tail));
    }

    /// <summary>
    /// The interval of a statistic that is never negative and that resampling makes larger, such as a sum or length of absolute values: the
    /// percentiles less the bias that the resamples show (Efron and Tibshirani 1993, section 10.2). It holds the statistic; the plain
    /// percentiles need not.
    /// </summary>
    /// <param name="value">The statistic itself.</param>
    /// <param name="drawn">What it was in each resample; sorted here.</param>
    internal static Interval Centred(double value, double[] drawn)
    {
        Array.Sort(drawn);
        var bias = drawn.Average() - value;
        return new Interval(value, Math.Clamp(Quantile(drawn, Tail) - bias, 0, value), Math.Max(value, Quantile(drawn, 1 - Tail) - bias));
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

    // Linear interpolation between order statistics, as numpy.quantile.
    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
