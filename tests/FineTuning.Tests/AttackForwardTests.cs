using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Settings;
using ClipSae.Sae.Encoding;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class AttackForwardTests : IDisposable
{
    private static readonly FineTuningOptions Options = new()
    {
        Amplification = 6,
        Suppression = 0.1,
        PenaltyWeight = 0.7,
        PenaltyMargin = 0.02,
    };

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly ClipModel _model = TuningSetup.Model();
    private readonly SparseAutoencoder _autoencoder = TuningSetup.Autoencoder();
    private readonly Tensor _images = TuningSetup.Images(5, 1);
    private readonly Tensor _controls = TuningSetup.Images(5, 2);

    public void Dispose()
    {
        _model.Dispose();
        _autoencoder.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData("amplify", 6)]
    [InlineData("suppress", 0.1)]
    [InlineData("amplify-random", 6)]
    [InlineData("suppress-random", 0.1)]
    [InlineData("amplify@3", 3)]
    [InlineData("suppress@0.2-random", 0.2)]
    public void Scaling_is_that_of_the_neurons_weights(string arm, double factor)
    {
        using var noGrad = no_grad();
        var embeddings = Run(arm).Embeddings;
        using var scaled = WithScaledNeurons(TuningSetup.Parts(arm), factor);

        Difference(embeddings, scaled.EncodeImage(_images)).ShouldBeLessThan(1e-5);
        Difference(embeddings, _model.EncodeImage(_images)).ShouldBeGreaterThan(1e-2);
    }

    [Theory]
    [InlineData("amplify")]
    [InlineData("suppress-random")]
    [InlineData("penalise")]
    public void Clean_images_beside_the_attacks_are_left_alone(string arm)
    {
        using var noGrad = no_grad();
        var clean = TuningSetup.Images(3, 4);
        var forward = TuningSetup.Forward(arm, _autoencoder, Options);
        var (alone, penalty) = forward.Run(_model, new ArmImages(_images, 0, _controls), withLoss: true);

        var (together, samePenalty) = forward.Run(_model, new ArmImages(cat([clean, _images]), 3, _controls), withLoss: true);

        Difference(together.narrow(0, 0, 3), _model.EncodeImage(clean)).ShouldBeLessThan(1e-5);
        Difference(together.narrow(0, 3, 5), alone).ShouldBeLessThan(1e-5);
        samePenalty?.item<float>().ShouldBe(penalty!.item<float>(), 1e-6f);
    }

    [Theory]
    [InlineData("amplify")]
    [InlineData("suppress")]
    [InlineData("penalise")]
    public void Nothing_stays_hooked(string arm)
    {
        using var noGrad = no_grad();
        var before = _model.EncodeImage(_images);
        Run(arm);

        _model.EncodeImage(_images).Equals(before).ShouldBeTrue();
    }

    [Theory]
    [InlineData("none")]
    [InlineData("penalise")]
    [InlineData("penalise-only")]
    public void Other_arms_leave_the_embeddings_alone(string arm)
    {
        using var noGrad = no_grad();
        Run(arm).Embeddings.Equals(_model.EncodeImage(_images)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("penalise")]
    [InlineData("penalise-only")]
    [InlineData("penalise-random")]
    public void The_hinge_has_the_value_of_its_formula(string arm)
    {
        using var noGrad = no_grad();
        var (word, control) = (Features(arm, _images), Features(arm, _controls));
        // λ·mean ReLU(z_f(word) − z_f(control) − margin) over images, tokens and features.
        var expected = 0.7 * word.Zip(control, (w, c) => Math.Max(0, w - c - 0.02)).Average();

        word.Count(value => value > 0).ShouldBeGreaterThan(0);
        Run(arm).Penalty!.item<float>().ShouldBe((float)expected, 1e-6f);
    }

    [Fact]
    public void No_gradient_flows_through_the_control()
    {
        // Word and control are the same picture: a gradient through both would cancel to nothing. The margin keeps the hinge open.
        var options = Options with { PenaltyMargin = -1 };
        TuningSetup
            .Forward("penalise", _autoencoder, options)
            .Run(_model, new ArmImages(_images, 0, _images), withLoss: true)
            .Penalty!.backward();

        _model
            .named_parameters()
            .Single(p => p.name == "visual.transformer.resblocks.0.mlp.c_fc.theta")
            .parameter.grad!.abs()
            .max()
            .item<float>()
            .ShouldBeGreaterThan(1e-6f);
    }

    [Fact]
    public void A_closed_hinge_has_no_gradient()
    {
        var (_, penalty) = TuningSetup
            .Forward("penalise", _autoencoder, Options with { PenaltyMargin = 100 })
            .Run(_model, new ArmImages(_images, 0, _controls), withLoss: true);
        penalty!.backward();

        penalty.item<float>().ShouldBe(0);
        _model
            .named_parameters()
            .Select(p => p.parameter.grad)
            .OfType<Tensor>()
            .ShouldAllBe(gradient => gradient.abs().max().item<float>() == 0);
    }

    [Fact]
    public void Arms_that_scale_have_no_hinge() => Run("amplify").Penalty.ShouldBeNull();

    private (Tensor Embeddings, Tensor? Penalty) Run(string arm) =>
        TuningSetup.Forward(arm, _autoencoder, Options).Run(_model, new ArmImages(_images, 0, _controls), withLoss: true);

    /// <summary>A neuron times a factor is its column of c_proj times that factor.</summary>
    private ClipModel WithScaledNeurons(SalientParts parts, double factor)
    {
        var weights = _model.PlainStateDict().ToDictionary(w => w.Key, w => w.Value.clone());
        foreach (var (layer, neurons) in parts.Neurons)
        {
            foreach (var neuron in neurons)
            {
                weights[$"visual.transformer.resblocks.{layer}.mlp.c_proj.weight"].select(1, neuron).mul_(factor);
            }
        }

        return ClipModel.FromStateDict(weights);
    }

    private float[] Features(string arm, Tensor pictures)
    {
        var point = new HookPoint.Mlp(0);
        var hooks = new Hooks().Capture(point);
        _model.EncodeImage(pictures, hooks);
        var index = tensor(TuningSetup.Parts(arm).Features.Select(f => (long)f).ToArray());
        return [.. _autoencoder.PreActivations(hooks.Captured(point)).relu().index_select(-1, index).contiguous().data<float>()];
    }

    private static double Difference(Tensor actual, Tensor expected) => ((actual - expected).norm() / expected.norm()).item<float>();
}
