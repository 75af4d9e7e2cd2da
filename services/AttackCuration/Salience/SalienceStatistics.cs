namespace ClipSae.AttackCuration.Salience;

/// <summary>The two statistics that say whether a feature reads text (science, section 4).</summary>
public static class SalienceStatistics
{
    /// <summary>
    /// Mean of the paired differences over their standard deviation (Cohen's d for paired samples); 0 where nothing ever differs.
    /// </summary>
    /// <param name="first">One value a pair.</param>
    /// <param name="second">Of the same pairs, in the same order.</param>
    public static double StandardizedDifference(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        double sum = 0,
            squares = 0;
        for (var i = 0; i < first.Length; i++)
        {
            double difference = first[i] - second[i];
            sum += difference;
            squares += difference * difference;
        }

        var mean = sum / first.Length;
        var variance = Math.Max(0, (squares / first.Length) - (mean * mean)) * first.Length / Math.Max(1, first.Length - 1);
        return variance == 0 ? Math.Sign(mean) * (mean == 0 ? 0 : double.PositiveInfinity) : mean / Math.Sqrt(variance);
    }

    /// <summary>Probability that a picture with text has the larger value than one without, ties counted half (Mann-Whitney).</summary>
    public static double Auroc(ReadOnlySpan<float> withText, ReadOnlySpan<float> without)
    {
        var all = new (float Value, bool Text)[withText.Length + without.Length];
        for (var i = 0; i < withText.Length; i++)
        {
            all[i] = (withText[i], true);
        }

        for (var i = 0; i < without.Length; i++)
        {
            all[withText.Length + i] = (without[i], false);
        }

        Array.Sort(all, (a, b) => a.Value.CompareTo(b.Value));
        double rankSum = 0;
        for (var start = 0; start < all.Length; )
        {
            var end = start;
            while (end < all.Length && all[end].Value == all[start].Value)
            {
                end++;
            }

            var rank = (start + end + 1) / 2.0;
            for (var i = start; i < end; i++)
            {
                rankSum += all[i].Text ? rank : 0;
            }

            start = end;
        }

        double n = withText.Length,
            m = without.Length;
        return (rankSum - (n * (n + 1) / 2)) / (n * m);
    }
}
