namespace ClipSae.ZeroShotEvaluation;

/// <summary>The bootstrap of accuracies by class, in time that does not grow with the number of classes.</summary>
internal static class ClassBootstrap
{
    /// <summary>Mean of the classes' accuracies and each class's accuracy, with 95 % intervals from the draws that <see cref="Bootstrap"/> makes.</summary>
    /// <param name="names">Names of all classes; those without images are left out.</param>
    /// <param name="classOf">Class of each image.</param>
    /// <param name="right">1 for each image that was answered right.</param>
    public static (Interval Mean, IReadOnlyList<ClassScore> Classes) Intervals(IReadOnlyList<string> names, int[] classOf, float[] right, int resamples, long seed)
    {
        var (images, hits) = Totals(names.Count, classOf, right, null);
        int[] present = [.. Enumerable.Range(0, names.Count).Where(name => images[name] > 0)];
        var means = new double[resamples];
        var shares = present.Select(_ => new double[resamples]).ToArray();
        Parallel.For(0, resamples, () => new float[classOf.Length], (resample, _, counts) =>
        {
            Bootstrap.Draw(counts, seed, resample);
            var (drawn, drawnHits) = Totals(names.Count, classOf, right, counts);
            means[resample] = present.Where(name => drawn[name] > 0).Average(name => drawnHits[name] / drawn[name]);
            for (var place = 0; place < present.Length; place++)
            {
                // A class that the sample missed says nothing: its own figure stands in.
                var name = present[place];
                shares[place][resample] = drawn[name] > 0 ? drawnHits[name] / drawn[name] : hits[name] / images[name];
            }

            return counts;
        }, _ => { });
        return (
            Bootstrap.Interval(present.Average(name => hits[name] / images[name]), means),
            [.. present.Select((name, place) => new ClassScore(names[name], (int)images[name], Bootstrap.Interval(hits[name] / images[name], shares[place])))]);
    }

    private static (double[] Images, double[] Hits) Totals(int classes, int[] classOf, float[] right, float[]? counts)
    {
        var (images, hits) = (new double[classes], new double[classes]);
        for (var i = 0; i < classOf.Length; i++)
        {
            var weight = counts is null ? 1 : counts[i];
            images[classOf[i]] += weight;
            hits[classOf[i]] += weight * right[i];
        }

        return (images, hits);
    }
}
