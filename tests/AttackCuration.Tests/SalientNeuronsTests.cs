using ClipSae.Clip;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

public sealed class SalientNeuronsTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly PlantedReader reader = new();

    public void Dispose()
    {
        reader.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void Neurons_that_write_the_features_are_found()
    {
        using var pairs = PlantedReader.Draw();
        var salient = PlantedReader.SayingComponents.Select(f => new FeatureScore(f, 1, 1, 1)).ToArray();
        var neurons = Find(reader.Model, reader.AtResidual, salient, pairs, 32);

        neurons.Select(n => (n.Layer, n.Index)).Order().ShouldBe(PlantedReader.ReadingNeurons.Select(j => (0, j)));
    }

    [Fact]
    public void Where_the_features_are_neurons_their_own_neurons_are_found()
    {
        using var pairs = PlantedReader.Draw();
        var salient = PlantedReader.ReadingNeurons.Select(f => new FeatureScore(f, 1, 1, 1)).ToArray();

        Find(reader.Model, reader.AtNeurons, salient, pairs, 32).Select(n => n.Index).Order().ShouldBe(PlantedReader.ReadingNeurons);
    }

    // science.md, section 4: the mean over pairs (and tokens) of a_j(word) − a_j(control), times Σ_f w_f ⟨W_enc[f], W_proj[:, j]⟩.
    [Theory]
    [InlineData("residual@1")]
    [InlineData("cls@0")]
    [InlineData("mlp@1")]
    [InlineData("image-embedding")]
    public void Scores_are_those_of_the_formula(string hook)
    {
        using var noGrad = no_grad();
        using var model = RandomClip.Create();
        using var pairs = RandomClip.Pairs(6);
        var at = RandomClip.Autoencoder(model, HookPoint.Parse(hook));
        FeatureScore[] salient = [new(3, 2, 1.5, 0.9), new(9, 0.5, 0.7, 0.8), new(20, 4, double.PositiveInfinity, 1)];
        var neurons = Find(model, at, salient, pairs, 10);

        var last = at.Hook.LayerIndex ?? 1;
        neurons.Select(n => n.Layer).Distinct().Order().ShouldBe(at.Hook is HookPoint.Mlp ? [last] : Enumerable.Range(0, last + 1));
        foreach (var layer in neurons.GroupBy(n => n.Layer))
        {
            var expected = Formula(model, at, salient, pairs, layer.Key);
            var best = expected.Select((score, index) => (score, index)).OrderByDescending(n => n.score).Take(10).ToArray();

            layer.Select(n => n.Index).ShouldBe(best.Select(n => n.index));
            layer.Zip(best).ShouldAllBe(pair => Math.Abs(pair.First.Score - pair.Second.score) < 1e-3 * best[0].score);
        }
    }

    [Fact]
    public void Silencing_them_heals_and_silencing_as_many_others_does_not()
    {
        using var pairs = PlantedReader.Draw();
        SalientNeurons.Neuron[] neurons = [.. PlantedReader.ReadingNeurons.Select(j => new SalientNeurons.Neuron(0, j, 1, 1))];
        var options = new AttackCurationOptions { RandomDraws = 4, BatchSize = 5 };
        NeuronAblation Measure() => NeuronAblation.Measure(reader.Vision, reader.Classifier, neurons, pairs, options, CPU, CancellationToken.None);

        Measure().Chosen.ShouldBe(new AttackAccuracy(1, 1, 0));
        Measure().Random.Count.ShouldBe(4);
        // None of the random draws may hold a reading neuron.
        Measure().Random.ShouldAllBe(r => r == new AttackAccuracy(1, 0, 1));
        // One of the two silenced heals the pictures on which it reads.
        NeuronAblation.Measure(reader.Vision, reader.Classifier, neurons[..1], pairs, options, CPU, CancellationToken.None).Chosen.ShouldBe(new AttackAccuracy(1, 0.5, 0.5));
    }

    private static IReadOnlyList<SalientNeurons.Neuron> Find(ClipModel model, SaeAtHook at, FeatureScore[] salient, WordPairs pairs, int perLayer)
    {
        using var vision = VisionPlan.Compile(model);
        return SalientNeurons.Find(model, vision, at, salient, pairs, perLayer, 4, CPU, CancellationToken.None);
    }

    private static double[] Formula(ClipModel model, SaeAtHook at, FeatureScore[] salient, WordPairs pairs, int layer)
    {
        var (word, control) = (Activation(model, pairs.Word, layer), Activation(model, pairs.Control, layer));
        var write = model.PlainStateDict()[$"visual.transformer.resblocks.{layer}.mlp.c_proj.weight"];
        var projection = model.PlainStateDict()["visual.proj"];
        return [.. Enumerable.Range(0, word.Length).Select(j =>
        {
            var reads = salient.Sum(s =>
            {
                var row = at.Sae.EncoderRows[s.Feature];
                var written = at.Hook switch
                {
                    HookPoint.Mlp => row[j].item<float>(),
                    HookPoint.ImageEmbedding => row.dot(projection.t().mv(write.select(1, j))).item<float>(),
                    _ => row.dot(write.select(1, j)).item<float>(),
                };
                // An effect without any spread counts as a thousand.
                return Math.Min(s.Salience, 1000) * written;
            });
            return (word[j] - control[j]) * reads;
        })];
    }

    private static double[] Activation(ClipModel model, Tensor pixels, int layer)
    {
        var point = new HookPoint.Mlp(layer);
        var hooks = new Hooks().Capture(point);
        model.EncodeImage(PixelNormalization.Apply(pixels), hooks);
        return [.. hooks.Captured(point).to(ScalarType.Float64).mean([0, 1]).data<double>()];
    }
}
