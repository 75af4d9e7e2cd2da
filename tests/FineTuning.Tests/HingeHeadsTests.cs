using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Heads;
using ClipSae.FineTuning.Settings;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class HingeHeadsTests : IDisposable
{
    private static readonly FineTuningOptions Options = new() { PenaltyWeight = 3, PenaltyMargin = 0.01 };
    private static readonly TypographicHead[] Heads = [new(0, 1, 0.5), new(1, 0, 0.5)];

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly ClipModel _model = ClipModel.Initialize(TuningSetup.Architecture with { VisionWidth = 128 }, 7);
    private readonly Tensor _attacks = TuningSetup.Images(2, 1);
    private readonly Tensor _controls = TuningSetup.Images(2, 2);

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    // What a head writes is its part of the output projection of its output; along a unit direction that is a product with it.
    [Theory]
    [InlineData("residual@1")]
    [InlineData("mlp@0")]
    [InlineData("image-embedding")]
    public void The_hinge_has_the_value_of_its_formula(string point)
    {
        using var noGrad = no_grad();
        var hook = HookPoint.Parse(point);
        using var autoencoder = Autoencoder(hook.Width(_model.Architecture));
        int[] features = [1, 4];
        using var directions = TextDirections.Of(_model, hook, autoencoder, features, Heads);
        var parts = new SalientParts(hook, point, features, new Dictionary<int, int[]>()) { Heads = directions.Heads };
        var images = new ArmImages(cat([TuningSetup.Images(3, 4), _attacks]), 3, _controls);

        var loss = new AttackForward(TuningArm.Parse("hinge-heads"), parts, autoencoder, Options)
            .Run(_model, images, withLoss: true)
            .Penalty!.item<float>();

        var unit = InStream(hook, autoencoder, features);
        var excess = Heads.SelectMany(head =>
            Writes(_attacks, head)
                .Zip(Writes(_controls, head), (word, control) => unit.mv(word - control).sub(0.01).relu().mean().item<float>())
        );
        ((double)loss).ShouldBe(3 * excess.Average(), 1e-5);
        loss.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void It_has_gradients_in_the_heads_it_looks_at_and_none_behind_them()
    {
        var hook = new HookPoint.Residual(0);
        using var autoencoder = Autoencoder(128);
        using var directions = TextDirections.Of(_model, hook, autoencoder, [1, 4], [Heads[0]]);
        var parts = new SalientParts(hook, "residual@0", [1, 4], new Dictionary<int, int[]>()) { Heads = directions.Heads };

        new AttackForward(TuningArm.Parse("hinge-heads"), parts, autoencoder, Options)
            .Run(_model, new ArmImages(_attacks, 0, _controls), withLoss: true)
            .Penalty!.backward();

        var gradients = _model.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad);
        var values = gradients["visual.transformer.resblocks.0.attn.in_proj_weight"]!.narrow(0, 2 * 128, 128);
        values.narrow(0, 64, 64).abs().max().item<float>().ShouldBeGreaterThan(0);
        values.narrow(0, 0, 64).abs().max().item<float>().ShouldBe(0);
        (gradients["visual.transformer.resblocks.1.attn.in_proj_weight"]?.abs().max().item<float>() ?? 0).ShouldBe(0);
    }

    private Tensor InStream(HookPoint hook, SparseAutoencoder autoencoder, int[] features)
    {
        var weights = _model.PlainStateDict();
        var index = tensor(features.Select(f => (long)f).ToArray());
        var rows = autoencoder.EncoderRows.index_select(0, index);
        if (hook is HookPoint.Mlp)
        {
            rows = autoencoder.DecoderRows.index_select(0, index).matmul(weights["visual.transformer.resblocks.0.mlp.c_proj.weight"].t());
        }
        else if (hook is HookPoint.ImageEmbedding)
        {
            rows = rows.matmul(weights["visual.proj"].t()) * weights["visual.ln_post.weight"];
            rows = rows - rows.mean([1], keepdim: true);
        }

        return rows / rows.norm(1, keepdim: true);
    }

    private Tensor[] Writes(Tensor images, TypographicHead head)
    {
        var hooks = new Hooks().Capture(new HookPoint.Heads(head.Layer));
        _model.EncodeImage(images, hooks);
        var outputs = hooks.Captured(new HookPoint.Heads(head.Layer)).select(1, 0).narrow(1, 64 * head.Index, 64);
        var projection = _model
            .StateDict()[$"visual.transformer.resblocks.{head.Layer}.attn.out_proj.weight"]
            .narrow(1, 64 * head.Index, 64);
        return [.. Enumerable.Range(0, 2).Select(image => projection.mv(outputs[image]))];
    }

    private static SparseAutoencoder Autoencoder(long width)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var rows = nn.functional.normalize(randn(8, width, generator: generator), dim: 1);
        return new SparseAutoencoder(new SaeVariant.TopK(4, Tied: true), rows, rows, full(8, 0.05f), zeros(width), 1);
    }
}
