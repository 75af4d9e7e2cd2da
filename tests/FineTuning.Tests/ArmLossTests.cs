using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Settings;
using ClipSae.Sae.Encoding;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class ArmLossTests : IDisposable
{
    private static readonly FineTuningOptions Options = new()
    {
        DistilKeep = 0.5,
        KeepWeight = 2,
        ReadingWeight = 3,
    };

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly ClipModel _model = TuningSetup.Model();
    private readonly ClipModel _other = TuningSetup.Model(6);
    private readonly VisionPlan _basis;
    private readonly SparseAutoencoder _autoencoder = TuningSetup.Autoencoder();
    private readonly Tensor _clean = TuningSetup.Images(3, 4);
    private readonly Tensor _attacks = TuningSetup.Images(2, 1);
    private readonly Tensor _sources = TuningSetup.Images(2, 2);

    public ArmLossTests() => _basis = VisionPlan.Compile(_other);

    public void Dispose()
    {
        _basis.Dispose();
        _other.Dispose();
        _model.Dispose();
        _autoencoder.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 0)]
    public void Distillation_has_the_value_of_its_formula(float first, float second)
    {
        using var noGrad = no_grad();
        var (students, teachers) = (Rows(_model.EncodeImage(_attacks)), Rows(_other.EncodeImage(_sources)));
        var kept = Rows(_model.EncodeImage(_clean)).Zip(Rows(_other.EncodeImage(_clean)), Distance).Average();
        // A picture that came with its print (0) has no picture without it to learn from.
        var attacked = ((first * Distance(students[0], teachers[0])) + (second * Distance(students[1], teachers[1]))) / 2;

        Loss("distil", tensor(new[] { first, second })).ShouldBe(attacked + (0.5 * kept), 1e-4);
    }

    [Fact]
    public void Kept_features_have_the_value_of_their_formula()
    {
        using var noGrad = no_grad();
        var salient = TuningSetup.Parts("keep-features").Features;
        float[] Others(ClipModel of)
        {
            var hooks = new Hooks().Capture(new HookPoint.Mlp(0));
            of.EncodeImage(_clean, hooks);
            var all = _autoencoder.PreActivations(hooks.Captured(new HookPoint.Mlp(0))).relu();
            var index = tensor(Enumerable.Range(0, _autoencoder.Latents).Except(salient).Select(f => (long)f).ToArray());
            return [.. all.index_select(-1, index).contiguous().data<float>()];
        }

        var (now, before) = (Others(_model), Others(_other));
        var ofImage = now.Length / 3;
        var expected =
            2
            * now.Chunk(ofImage)
                .Zip(before.Chunk(ofImage), (a, b) => a.Zip(b, (x, y) => (x - y) * (double)(x - y)).Sum() / b.Sum(y => y * (double)y))
                .Average();

        Loss("keep-features", ones(2)).ShouldBe(expected, 1e-4 * expected);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 0)]
    public void Kept_reading_has_the_value_of_its_formula(float first, float second)
    {
        using var noGrad = no_grad();
        // What stands for the print is any picture here.
        var print = TuningSetup.Images(2, 3);
        var changed = Rows(_model.EncodeImage(print)).Zip(Rows(_other.EncodeImage(print)), Distance).ToArray();

        var loss = TuningSetup
            .Forward("keep-reading", null, Options, basis: _basis)
            .Run(
                _model,
                new ArmImages(cat([_clean, _attacks]), 3, HasSource: tensor(new[] { first, second }), Print: print),
                withLoss: true
            )
            .Penalty!.item<float>();

        ((double)loss).ShouldBe(3 * ((first * changed[0]) + (second * changed[1])) / 2, 1e-4);
    }

    [Fact]
    public void A_combination_adds_the_losses_of_its_parts() =>
        Loss("distil+keep-features", ones(2)).ShouldBe(Loss("distil", ones(2)) + Loss("keep-features", ones(2)), 1e-5);

    [Theory]
    [InlineData("keep-features@6", "keep-features", 3)]
    [InlineData("keep-features@0", "keep-features", 0)]
    public void A_weight_in_the_name_replaces_that_of_the_options(string arm, string plain, double factor) =>
        Loss(arm, ones(2)).ShouldBe(factor * Loss(plain, ones(2)), 1e-5);

    [Fact]
    public void A_weight_in_the_name_is_that_of_its_part_alone() =>
        Loss("distil+keep-features@6", ones(2)).ShouldBe(Loss("distil", ones(2)) + (3 * Loss("keep-features", ones(2))), 1e-5);

    [Fact]
    public void Against_itself_nothing_has_changed()
    {
        using var itself = VisionPlan.Compile(_model);
        var images = new ArmImages(cat([_clean, _clean.narrow(0, 0, 2)]), 3, null, _clean.narrow(0, 0, 2), ones(2));

        TuningSetup
            .Forward("distil+keep-features", _autoencoder, Options, basis: itself)
            .Run(_model, images, withLoss: true)
            .Penalty!.item<float>()
            .ShouldBe(0, 1e-5f);
    }

    private double Loss(string arm, Tensor hasSource) =>
        TuningSetup
            .Forward(arm, _autoencoder, Options, basis: _basis)
            .Run(_model, new ArmImages(cat([_clean, _attacks]), 3, null, _sources, hasSource), withLoss: true)
            .Penalty!.item<float>();

    private static float[][] Rows(Tensor embeddings) =>
        [.. Enumerable.Range(0, (int)embeddings.shape[0]).Select(row => embeddings[row].contiguous().data<float>().ToArray())];

    private static double Distance(float[] a, float[] b) =>
        1 - (a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(y => (double)y * y)));
}
