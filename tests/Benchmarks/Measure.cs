using System.Diagnostics;

namespace ClipSae.Benchmarks;

/// <summary>Wall-clock measurements.</summary>
internal static class Measure
{
    /// <summary>Seconds one run of <paramref name="work"/> takes.</summary>
    public static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>
    /// Runs several pieces of work in turns, so that a change of the machine's speed meets all of them alike.
    /// </summary>
    /// <returns>Per piece the seconds of each round, without the first, which warms up.</returns>
    public static double[][] Interleaved(int rounds, params Action[] works)
    {
        var seconds = works.Select(_ => new double[rounds]).ToArray();
        for (var round = -1; round < rounds; round++)
        {
            for (var i = 0; i < works.Length; i++)
            {
                var taken = Seconds(works[i]);
                if (round >= 0)
                {
                    seconds[i][round] = taken;
                }
            }
        }

        return seconds;
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
