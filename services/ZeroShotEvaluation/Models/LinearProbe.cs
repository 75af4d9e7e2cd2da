using ClipSae.Datasets;
using ClipSae.ZeroShotEvaluation.Settings;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>Trains a linear probe on one part of a set and asks it about the other.</summary>
internal static class LinearProbe
{
    /// <summary>
    /// Divides a set: of each class, in an order drawn from the seed, the first share trains and the rest tests. A class with one image
    /// only trains.
    /// </summary>
    public static (int[] Train, int[] Test) Split(int[] classOf, double trainShare, long seed)
    {
        var (train, test) = (new List<int>(), new List<int>());
        foreach (var group in Enumerable.Range(0, classOf.Length).GroupBy(image => classOf[image]))
        {
            var images = group.ToList();
            new SeededRandom(seed, "probe", group.Key).Shuffle(images);
            var count = Math.Clamp(
                (int)Math.Round(images.Count * trainShare, MidpointRounding.AwayFromZero),
                1,
                Math.Max(1, images.Count - 1)
            );
            train.AddRange(images.Take(count));
            test.AddRange(images.Skip(count));
        }

        return ([.. train.Order()], [.. test.Order()]);
    }

    /// <param name="images">Unit rows [images, embed], float32.</param>
    /// <param name="classOf">Class of each image.</param>
    /// <returns>Null where fewer than two classes have images to train on and some to test.</returns>
    public static ProbeAnswers? Ask(torch.Tensor images, int[] classOf, ProbeOptions options, long seed, CancellationToken cancel = default)
    {
        var (train, test) = Split(classOf, options.TrainShare, seed);
        int[] classes = [.. train.Select(image => classOf[image]).Distinct().Order()];
        if (classes.Length < 2 || test.Length == 0)
        {
            return null;
        }

        using var scope = torch.NewDisposeScope();
        var all = images.to(torch.float64);
        var objective = new LogisticObjective(
            Rows(all, train),
            [.. train.Select(image => Array.BinarySearch(classes, classOf[image]))],
            classes.Length,
            options.InverseRegularization
        );
        var fit = Lbfgs.Minimize(
            (point, gradient) =>
            {
                cancel.ThrowIfCancellationRequested();
                return objective.Evaluate(point, gradient);
            },
            new double[objective.Parameters],
            options.MaxIterations
        );
        var chosen = objective.Classify(Rows(all, test), fit.Point);
        return new ProbeAnswers(
            train.Length,
            [.. test.Select((image, place) => classes[chosen[place]] == classOf[image] ? 1f : 0f)],
            fit.Iterations,
            fit.Converged
        );
    }

    private static torch.Tensor Rows(torch.Tensor all, int[] rows) => all.index_select(0, torch.tensor([.. rows.Select(row => (long)row)]));
}
