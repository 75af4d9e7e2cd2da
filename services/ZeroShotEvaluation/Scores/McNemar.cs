namespace ClipSae.ZeroShotEvaluation;

/// <summary>McNemar's exact test on paired answers: do two models err on different numbers of the same images?</summary>
/// <param name="BaseOnly">Images that only the base, or the other model compared with, gets right.</param>
/// <param name="TunedOnly">Images that only the tuned model gets right.</param>
/// <param name="PValue">Two-sided exact binomial probability of a split at least as uneven, if both were equally good.</param>
public sealed record McNemar(int BaseOnly, int TunedOnly, double PValue)
{
    /// <summary>Compares two rows of right answers.</summary>
    public static McNemar Compare(IReadOnlyList<bool> baseRight, IReadOnlyList<bool> tunedRight)
    {
        var baseOnly = baseRight.Zip(tunedRight).Count(pair => pair is (true, false));
        var tunedOnly = baseRight.Zip(tunedRight).Count(pair => pair is (false, true));
        return new McNemar(baseOnly, tunedOnly, Probability(Math.Min(baseOnly, tunedOnly), baseOnly + tunedOnly));
    }

    // min(1, 2 · Σ_{i ≤ fewer} C(n, i) / 2ⁿ), summed in logarithms so that no term overflows.
    private static double Probability(int fewer, int discordant)
    {
        var logTerm = -discordant * Math.Log(2);
        var sum = Math.Exp(logTerm);
        for (var i = 1; i <= fewer; i++)
        {
            logTerm += Math.Log(discordant - i + 1) - Math.Log(i);
            sum += Math.Exp(logTerm);
        }

        return Math.Min(1, 2 * sum);
    }
}
