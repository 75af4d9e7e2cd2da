using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Statistics;

/// <summary>
/// Mean of a statistic over training seeds with Student's 95 % interval: what another seed would give, not another set of images.
/// </summary>
public static class SeedInterval
{
    // Two-sided 95 % quantiles of Student's t for 1 … 30 degrees of freedom; beyond, the normal's (+ 2.4/df, within 0.002).
    private static readonly double[] StudentT =
    [
        12.706,
        4.303,
        3.182,
        2.776,
        2.571,
        2.447,
        2.365,
        2.306,
        2.262,
        2.228,
        2.201,
        2.179,
        2.160,
        2.145,
        2.131,
        2.120,
        2.110,
        2.101,
        2.093,
        2.086,
        2.080,
        2.074,
        2.069,
        2.064,
        2.060,
        2.056,
        2.052,
        2.048,
        2.045,
        2.042,
    ];

    /// <summary>Mean and interval over at least two seeds; for one seed the interval over images is all there is.</summary>
    public static Interval Of(IReadOnlyList<Interval> seeds)
    {
        if (seeds.Count == 1)
        {
            return seeds[0];
        }

        var mean = seeds.Average(seed => seed.Value);
        var freedom = seeds.Count - 1;
        var variance = seeds.Sum(seed => (seed.Value - mean) * (seed.Value - mean)) / freedom;
        var t = freedom <= StudentT.Length ? StudentT[freedom - 1] : 1.960 + 2.4 / freedom;
        var half = t * Math.Sqrt(variance / seeds.Count);
        return new Interval(mean, mean - half, mean + half);
    }
}
