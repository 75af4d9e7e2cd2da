using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.Clip.Tests;

public sealed class HeadTests : IDisposable
{
    private const int Heads = 3;
    private const int Width = 64 * Heads;
    private static readonly ClipArchitecture Architecture = new(32, 16, 2, Width, 8, 16, 50, 64, 1);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly ClipModel _model = ClipModel.Initialize(Architecture, 3);
    private readonly Tensor _images;

    public HeadTests()
    {
        using var generator = new Generator(2, CPU);
        _images = randn([2, 3, 16, 16], generator: generator);
    }

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    // What a head gives the class token is its attention's mean of the values: so both are checked against one another.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_class_tokens_attention_mixes_the_values_to_what_its_heads_give(int layer)
    {
        using var noGrad = no_grad();
        var attention = ClassAttention.Of(_model, _images);
        var hooks = new Hooks().Capture(new HookPoint.Heads(layer));
        if (layer > 0)
        {
            hooks.Capture(new HookPoint.Residual(layer - 1));
        }

        _model.EncodeImage(_images, hooks);

        attention.shape.ShouldBe([2L, 2, Heads, 5]);
        attention.sum(-1).sub(1).abs().max().item<float>().ShouldBe(0, 1e-5f);
        var stream = layer == 0 ? _model.Blocks(_images, null, 0) : hooks.Captured(new HookPoint.Residual(layer - 1));
        var block = $"visual.transformer.resblocks.{layer}";
        var weights = _model.StateDict();
        var normal = nn.functional.layer_norm(stream, [Width], weights[block + ".ln_1.weight"], weights[block + ".ln_1.bias"]);
        var values = nn
            .functional.linear(
                normal,
                weights[block + ".attn.in_proj_weight"].narrow(0, 2 * Width, Width),
                weights[block + ".attn.in_proj_bias"].narrow(0, 2 * Width, Width)
            )
            .view(2, 5, Heads, 64)
            .transpose(1, 2);
        var mixed = attention[layer].unsqueeze(2).matmul(values).view(2, Width);
        (mixed - hooks.Captured(new HookPoint.Heads(layer)).select(1, 0)).abs().max().item<float>().ShouldBe(0, 1e-5f);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void What_heads_give_is_seen_and_replaced_alike_in_training_and_inference(int layer)
    {
        using var noGrad = no_grad();
        using var plan = VisionPlan.Compile(_model);
        var point = new HookPoint.Heads(layer);
        static Tensor Half(Tensor heads) => heads * 0.5f;
        var (trained, inferred) = (new Hooks().Capture(point).Replace(point, Half), new Hooks().Capture(point).Replace(point, Half));

        var features = _model.EncodeImage(_images, trained);
        var planned = plan.EncodeImage(_images, inferred);

        (features - planned).abs().max().item<float>().ShouldBe(0, 1e-5f);
        (features - _model.EncodeImage(_images)).abs().max().item<float>().ShouldBeGreaterThan(1e-4f);
        (trained.Captured(point) - inferred.Captured(point)).abs().max().item<float>().ShouldBe(0, 1e-5f);
    }
}
