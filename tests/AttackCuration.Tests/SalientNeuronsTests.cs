using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Results.Curation;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

public sealed class SalientNeuronsTests : IDisposable
{
    private static readonly FeatureScore[] Salient = [new(3, 2, 1.5, 0.9), new(9, 0.5, 0.7, 0.8), new(20, 4, double.PositiveInfinity, 1)];
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly PlantedReader _reader = new();

    public void Dispose()
    {
        _reader.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Neurons_that_write_the_features_are_found()
    {
        using var pairs = PlantedReader.Draw();
        var salient = PlantedReader.SayingComponents.Select(f => new FeatureScore(f, 1, 1, 1)).ToArray();
        var neurons = Find(_reader.Model, _reader.AtResidual, salient, pairs, 32);

        neurons.Select(n => (n.Layer, n.Index)).Order().ShouldBe(PlantedReader.ReadingNeurons.Select(j => (0, j)));
    }

    [Fact]
    public void Where_the_features_are_neurons_their_own_neurons_are_found()
    {
        using var pairs = PlantedReader.Draw();
        var salient = PlantedReader.ReadingNeurons.Select(f => new FeatureScore(f, 1, 1, 1)).ToArray();

        Find(_reader.Model, _reader.AtNeurons, salient, pairs, 32).Select(n => n.Index).Order().ShouldBe(PlantedReader.ReadingNeurons);
    }

    // science.md, section 4: the mean over pairs of a_j(word) − a_j(control), times Σ_f w_f ⟨W_enc[f], W_proj[:, j]⟩. The class token's a_j
    // where the hook is the class token's alone, else the mean over tokens.
    [Theory]
    [InlineData("residual@1")]
    [InlineData("cls@1")]
    [InlineData("mlp@1")]
    [InlineData("image-embedding")]
    public void Scores_are_those_of_the_formula(string hook)
    {
        using var noGrad = no_grad();
        using var model = WithUnevenNorm();
        using var pairs = RandomClip.Pairs(6);
        var at = RandomClip.Autoencoder(model, HookPoint.Parse(hook));
        var neurons = Find(model, at, Salient, pairs, 10);

        var last = at.Hook.LayerIndex ?? 1;
        neurons.Select(n => n.Layer).Distinct().Order().ShouldBe(at.Hook is HookPoint.Mlp ? [last] : Enumerable.Range(0, last + 1));
        foreach (var layer in neurons.GroupBy(n => n.Layer))
        {
            AreTheBestOf(Formula(model, at, Salient, pairs, layer.Key), layer);
        }
    }

    // In the hook's own block nothing lies between a neuron and what the features read but sums, so attribution by automatic
    // differentiation, Σ over tokens of (a(word) − a(control)) · ∂(what the features read)/∂a, is exact, and knows of no formula which
    // token counts.
    [Theory]
    [InlineData("residual@1")]
    [InlineData("cls@1")]
    [InlineData("mlp@1")]
    [InlineData("image-embedding")]
    public void Scores_of_the_hooks_own_block_are_what_differentiation_attributes(string hook)
    {
        using var model = WithUnevenNorm();
        using var pairs = RandomClip.Pairs(6);
        var at = RandomClip.Autoencoder(model, HookPoint.Parse(hook));

        AreTheBestOf(Attributed(model, at, Salient, pairs, layer: 1), Find(model, at, Salient, pairs, 10).Where(n => n.Layer == 1));
    }

    [Theory]
    [InlineData("residual@1")]
    [InlineData("cls@1")]
    public void All_layers_are_measured_in_one_pass_over_each_version(string hook)
    {
        using var model = RandomClip.Create();
        using var pairs = RandomClip.Pairs(6);
        var at = RandomClip.Autoencoder(model, HookPoint.Parse(hook));

        // The batch does not divide the pairs: the last one weighs as many pictures as it has.
        var whole = Find(model, at, Salient, pairs, 10, batch: 6);
        Find(model, at, Salient, pairs, 10, batch: 4)
            .Zip(whole)
            .ShouldAllBe(pair => pair.First.Index == pair.Second.Index && Math.Abs(pair.First.Score - pair.Second.Score) < 1e-4);
    }

    [Fact]
    public void Silencing_them_heals_and_silencing_as_many_others_does_not()
    {
        using var pairs = PlantedReader.Draw();
        SalientNeurons.Neuron[] neurons = [.. PlantedReader.ReadingNeurons.Select(j => new SalientNeurons.Neuron(0, j, 1, 1))];
        var options = new AttackCurationOptions { RandomDraws = 4, BatchSize = 5 };
        NeuronAblation Measure() =>
            NeuronSilencing.Measure(_reader.Vision, _reader.Classifier, neurons, pairs, options, CPU, CancellationToken.None);

        Measure().Chosen.ShouldBe(new AttackAccuracy(1, 1, 0));
        Measure().Random.Count.ShouldBe(4);
        // None of the random draws may hold a reading neuron.
        Measure().Random.ShouldAllBe(r => r == new AttackAccuracy(1, 0, 1));
        // One of the two silenced heals the pictures on which it reads.
        NeuronSilencing
            .Measure(_reader.Vision, _reader.Classifier, neurons[..1], pairs, options, CPU, CancellationToken.None)
            .Chosen.ShouldBe(new AttackAccuracy(1, 0.5, 0.5));
    }

    private static IReadOnlyList<SalientNeurons.Neuron> Find(
        ClipModel model,
        SaeAtHook at,
        FeatureScore[] salient,
        WordPairs pairs,
        int perLayer,
        int batch = 4
    )
    {
        using var vision = VisionPlan.Compile(model);
        return SalientNeurons.Find(model, vision, at, salient, pairs, perLayer, batch, CPU, CancellationToken.None);
    }

    private static void AreTheBestOf(double[] expected, IEnumerable<SalientNeurons.Neuron> neurons)
    {
        var best = expected.Select((score, index) => (score, index)).OrderByDescending(n => n.score).Take(10).ToArray();

        neurons.Select(n => n.Index).ShouldBe(best.Select(n => n.index));
        neurons.Zip(best).ShouldAllBe(pair => Math.Abs(pair.First.Score - pair.Second.score) < 1e-3 * best[0].score);
    }

    /// <summary>A random CLIP, not OpenAI's in what weights do not say, with a last LayerNorm that scales components differently.</summary>
    private static ClipModel WithUnevenNorm()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(13, CPU);
        using var random = RandomClip.Create(RandomClip.Other);
        var weights = random.StateDict().ToDictionary(w => w.Key, w => w.Value.clone());
        weights["visual.ln_post.weight"].copy_(rand(64, generator: generator) * 2);
        return ClipModel.FromStateDict(weights, like: RandomClip.Other);
    }

    private static double[] Formula(ClipModel model, SaeAtHook at, FeatureScore[] salient, WordPairs pairs, int layer)
    {
        var (word, control) = (Activation(model, at, pairs.Word, layer), Activation(model, at, pairs.Control, layer));
        var write = model.PlainStateDict()[$"visual.transformer.resblocks.{layer}.mlp.c_proj.weight"];
        var projection = model.PlainStateDict()["visual.proj"];
        var norm = model.PlainStateDict()["visual.ln_post.weight"];
        return
        [
            .. Enumerable
                .Range(0, word.Length)
                .Select(j =>
                {
                    var column = write.select(1, j);
                    var reads = salient.Sum(s =>
                    {
                        var row = at.Sae.EncoderRows[s.Feature];
                        var written = at.Hook switch
                        {
                            HookPoint.Mlp => row[j].item<float>(),
                            // LayerNorm with its division left out: (x − mean) · γ.
                            HookPoint.ImageEmbedding => row.dot(projection.t().mv((column - column.mean()) * norm)).item<float>(),
                            _ => row.dot(column).item<float>(),
                        };
                        return Weight(s) * written;
                    });
                    return (word[j] - control[j]) * reads;
                }),
        ];
    }

    /// <summary>An effect without any spread counts as a thousand.</summary>
    private static double Weight(FeatureScore feature) => Math.Min(feature.Salience, 1000);

    private static double[] Activation(ClipModel model, SaeAtHook at, Tensor pixels, int layer)
    {
        var neurons = Neurons(model, pixels, layer).to(ScalarType.Float64);
        var tokens = at.Hook is HookPoint.Cls or HookPoint.ImageEmbedding ? neurons.narrow(1, 0, 1) : neurons;
        return [.. tokens.mean([0, 1]).data<double>()];
    }

    private static Tensor Neurons(ClipModel model, Tensor pixels, int layer)
    {
        var point = new HookPoint.Mlp(layer);
        var hooks = new Hooks().Capture(point);
        model.EncodeImage(PixelNormalization.OpenAi.Apply(pixels), hooks);
        return hooks.Captured(point).detach();
    }

    /// <summary>By neuron, the mean over pairs.</summary>
    private static double[] Attributed(ClipModel model, SaeAtHook at, FeatureScore[] salient, WordPairs pairs, int layer)
    {
        var neurons = Neurons(model, pairs.Control, layer);
        var difference = Neurons(model, pairs.Word, layer) - neurons;
        neurons.requires_grad_();
        var stream = at.Hook is HookPoint.ImageEmbedding ? new HookPoint.Cls(layer) : at.Hook;
        var hooks = new Hooks().Replace(new HookPoint.Mlp(layer), _ => neurons).Capture(stream);
        model.EncodeImage(PixelNormalization.OpenAi.Apply(pairs.Control), hooks);
        var read = hooks.Captured(stream);
        if (at.Hook is HookPoint.ImageEmbedding)
        {
            var weights = model.PlainStateDict();
            read = ((read - read.mean([1], keepdim: true)) * weights["visual.ln_post.weight"]).mm(weights["visual.proj"]);
        }

        var features = at.Sae.PreActivations(at.Hook.HasTokens ? read.mean([1]) : read);
        var total = salient.Select(s => features.select(1, s.Feature).sum() * (float)Weight(s)).Aggregate((a, b) => a + b);
        total.backward();
        return [.. (difference * neurons.grad!).to(ScalarType.Float64).sum([1]).mean([0]).data<double>()];
    }
}
