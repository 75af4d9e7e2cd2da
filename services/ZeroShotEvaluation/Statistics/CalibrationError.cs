namespace ClipSae.ZeroShotEvaluation.Statistics;

/// <summary>Expected calibration error (Guo et al. 2017, equation 3).</summary>
internal static class CalibrationError
{
    /// <summary>The calibration error as a function of means: of each bin's (right − probability), 0 for images elsewhere.</summary>
    /// <param name="right">1 for each right answer.</param>
    /// <param name="confidence">Probability of each answer.</param>
    public static MeanStatistic Of(float[] right, float[] confidence, int bins)
    {
        var columns = Enumerable.Range(0, bins).Select(_ => new float[right.Length]).ToArray();
        for (var i = 0; i < right.Length; i++)
        {
            // Bins are (b/B, (b+1)/B], as in the paper.
            var bin = Math.Clamp((int)Math.Ceiling(confidence[i] * bins) - 1, 0, bins - 1);
            columns[bin][i] = right[i] - confidence[i];
        }

        return new MeanStatistic(columns, means => means.Sum(Math.Abs)) { GrowsByResampling = true };
    }
}
