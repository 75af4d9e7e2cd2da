using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Datasets;
using ClipSae.Results.Curation;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Salience;

/// <summary>Silences salient neurons, and for comparison as many random neurons of the same layers.</summary>
public static class NeuronSilencing
{
    public static NeuronAblation Measure(
        VisionPlan vision,
        ZeroShotClassifier classifier,
        IReadOnlyList<SalientNeurons.Neuron> neurons,
        WordPairs pairs,
        AttackCurationOptions options,
        Device device,
        CancellationToken cancel
    )
    {
        AttackAccuracy Silenced(IEnumerable<IGrouping<int, int>> byLayer)
        {
            using var scope = NewDisposeScope();
            var groups = byLayer.Select(g => (Point: new HookPoint.Mlp(g.Key), Index: tensor(g.Select(j => (long)j).ToArray()))).ToArray();
            return AttackMeasurement.Of(
                vision,
                classifier,
                pairs,
                options.BatchSize,
                device,
                hooks =>
                {
                    foreach (var (point, index) in groups)
                    {
                        hooks.Scale(point, index, 0);
                    }
                },
                cancel
            );
        }

        var width = vision.Architecture.VisionNeurons;
        var random = Enumerable
            .Range(0, options.RandomDraws)
            .Select(draw =>
                Silenced(
                    RandomTwins(neurons, width, new SeededRandom(options.Seed, "random neurons", draw)).GroupBy(n => n.Layer, n => n.Index)
                )
            );
        return new NeuronAblation(Silenced(neurons.GroupBy(n => n.Layer, n => n.Index)), [.. random]);
    }

    /// <summary>As many other neurons of each layer, drawn without replacement.</summary>
    private static IEnumerable<(int Layer, int Index)> RandomTwins(
        IReadOnlyList<SalientNeurons.Neuron> neurons,
        int width,
        SeededRandom random
    ) =>
        neurons
            .GroupBy(n => n.Layer)
            .OrderBy(g => g.Key)
            .SelectMany(layer =>
            {
                var others = Enumerable.Range(0, width).Except(layer.Select(n => n.Index)).ToList();
                random.Shuffle(others);
                return others.Take(layer.Count()).Select(j => (layer.Key, j));
            });
}
