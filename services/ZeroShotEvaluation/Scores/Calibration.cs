namespace ClipSae.ZeroShotEvaluation;

/// <summary>Whether a model's probabilities mean what they say, at its own logit scale.</summary>
/// <param name="Bins">Bins of equal width over the probability of the choice.</param>
/// <param name="ExpectedError">
/// Expected calibration error (Guo et al. 2017, equation 3): Σ over bins of (share of images in it) · |accuracy − mean probability|. It is never
/// negative and resampling makes it larger, so its interval is shifted by that (<see cref="Bootstrap.Centred"/>).
/// </param>
/// <param name="LogLoss">Mean −ln of the right answer's probability.</param>
/// <param name="Brier">Brier's score in its original form: Σ over candidates, from 0 to 2.</param>
public sealed record Calibration(int Bins, Interval ExpectedError, Interval LogLoss, Interval Brier)
{
    /// <summary>The calibration error as a function of means: of each bin's (right − probability), 0 for images elsewhere.</summary>
    /// <param name="right">1 for each right answer.</param>
    /// <param name="confidence">Probability of each answer.</param>
    internal static MeanFigure ErrorOf(float[] right, float[] confidence, int bins)
    {
        var columns = Enumerable.Range(0, bins).Select(_ => new float[right.Length]).ToArray();
        for (var i = 0; i < right.Length; i++)
        {
            // Bins are (b/B, (b+1)/B], as in the paper.
            var bin = Math.Clamp((int)Math.Ceiling(confidence[i] * bins) - 1, 0, bins - 1);
            columns[bin][i] = right[i] - confidence[i];
        }

        return new MeanFigure(columns, means => means.Sum(Math.Abs)) { GrowsByResampling = true };
    }
}
