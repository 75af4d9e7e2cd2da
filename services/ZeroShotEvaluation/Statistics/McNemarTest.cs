using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Statistics;

/// <summary>Computes <see cref="McNemar"/>.</summary>
public static class McNemarTest
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
