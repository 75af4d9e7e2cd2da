namespace ClipSae.ZeroShotEvaluation.Statistics;

/// <summary>A statistic that is a function of means over images.</summary>
/// <param name="Columns">For each mean its value for each image; all of one length.</param>
/// <param name="Combine">The statistic from the means; for one column usually the mean itself.</param>
public sealed record MeanStatistic(IReadOnlyList<float[]> Columns, Func<double[], double> Combine)
{
    /// <summary>
    /// Whether it is a sum or length of absolute values, which resampling makes larger: then the interval is
    /// <see cref="Bootstrap.Centred"/>.
    /// </summary>
    public bool GrowsByResampling { get; init; }

    /// <summary>The mean of a column.</summary>
    public static MeanStatistic Of(float[] column) => new([column], means => means[0]);

    /// <summary>A sum over a sum, such as right captions over captions.</summary>
    public static MeanStatistic Ratio(float[] numerator, float[] denominator) =>
        new([numerator, denominator], means => means[1] == 0 ? 0 : means[0] / means[1]);
}
