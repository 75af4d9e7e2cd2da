using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Statistics;

/// <summary>The bootstrap of accuracies by class, in time that does not grow with the number of classes.</summary>
internal static class ClassBootstrap
{
    // Shares of classes in resamples that are in memory at once.
    private const int MaxShares = 1 << 24;

    /// <summary>
    /// For each model the mean of the classes' accuracies and each class's accuracy, with 95 % intervals from the draws that
    /// <see cref="Bootstrap"/> makes.
    /// </summary>
    /// <param name="names">Names of all classes; those without images are left out.</param>
    /// <param name="classOf">Class of each image.</param>
    /// <param name="models">For each model, 1 for each image that it answers right.</param>
    public static IReadOnlyList<(Interval Mean, IReadOnlyList<ClassScore> Classes)> Intervals(
        IReadOnlyList<string> names,
        int[] classOf,
        IReadOnlyList<float[]> models,
        int resamples,
        long seed
    )
    {
        float[] once = [.. classOf.Select(_ => 1f)];
        var images = Totals(names.Count, classOf, once, once);
        var atOnce = Math.Max(1, MaxShares / (resamples * Math.Max(1, images.Count(count => count > 0))));
        return [.. models.Chunk(atOnce).SelectMany(some => Intervals(names, classOf, once, images, some, resamples, seed))];
    }

    private static IReadOnlyList<(Interval Mean, IReadOnlyList<ClassScore> Classes)> Intervals(
        IReadOnlyList<string> names,
        int[] classOf,
        float[] once,
        double[] images,
        float[][] models,
        int resamples,
        long seed
    )
    {
        var hits = models.Select(right => Totals(names.Count, classOf, once, right)).ToArray();
        int[] present = [.. Enumerable.Range(0, names.Count).Where(name => images[name] > 0)];
        var means = models.Select(_ => new double[resamples]).ToArray();
        var shares = models.Select(_ => present.Select(_ => new double[resamples]).ToArray()).ToArray();
        Parallel.For(
            0,
            resamples,
            () => new float[classOf.Length],
            (resample, _, counts) =>
            {
                Bootstrap.Draw(counts, seed, resample);
                var drawn = Totals(names.Count, classOf, counts, once);
                for (var model = 0; model < models.Length; model++)
                {
                    var drawnHits = Totals(names.Count, classOf, counts, models[model]);
                    means[model][resample] = present.Where(name => drawn[name] > 0).Average(name => drawnHits[name] / drawn[name]);
                    for (var place = 0; place < present.Length; place++)
                    {
                        // A class that the sample missed says nothing: its own statistic stands in.
                        var name = present[place];
                        shares[model][place][resample] = drawn[name] > 0 ? drawnHits[name] / drawn[name] : hits[model][name] / images[name];
                    }
                }

                return counts;
            },
            _ => { }
        );
        return
        [
            .. models.Select(
                (_, model) =>
                    (
                        Bootstrap.Interval(present.Average(name => hits[model][name] / images[name]), means[model]),
                        (IReadOnlyList<ClassScore>)
                            [
                                .. present.Select(
                                    (name, place) =>
                                        new ClassScore(
                                            names[name],
                                            (int)images[name],
                                            Bootstrap.Interval(hits[model][name] / images[name], shares[model][place])
                                        )
                                ),
                            ]
                    )
            ),
        ];
    }

    private static double[] Totals(int classes, int[] classOf, float[] counts, float[] values)
    {
        var totals = new double[classes];
        for (var i = 0; i < classOf.Length; i++)
        {
            totals[classOf[i]] += counts[i] * values[i];
        }

        return totals;
    }
}
