using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

public sealed class HooksTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly ClipModel _model = ClipModel.Load(ReferenceFiles.Model);
    private readonly torch.Tensor _images = ReferenceFiles.Read(ReferenceFiles.Expected, "image");

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData("image-embedding")]
    [InlineData("cls@1")]
    [InlineData("residual@0")]
    [InlineData("mlp@2")]
    public void Scaling_changes_the_output_and_nothing_stays_hooked(string name)
    {
        using var noGrad = torch.no_grad();
        var before = _model.EncodeImage(_images);
        var point = HookPoint.Parse(name);
        var scaled = _model.EncodeImage(_images, new Hooks().Scale(point, torch.tensor(new long[] { 0, 3, 5 }), 4));
        ReferenceFiles.RelativeError(scaled, before).ShouldBeGreaterThan(1e-3);
        _model.EncodeImage(_images).Equals(before).ShouldBeTrue();
    }

    [Theory]
    [InlineData("image-embedding", new long[] { 3, 64 })]
    [InlineData("cls@2", new long[] { 3, 128 })]
    [InlineData("residual@1", new long[] { 3, 17, 128 })]
    [InlineData("mlp@0", new long[] { 3, 17, 512 })]
    public void Replacing_a_value_by_itself_changes_nothing(string name, long[] shape)
    {
        using var noGrad = torch.no_grad();
        var point = HookPoint.Parse(name);
        var seen = Array.Empty<long>();
        var output = _model.EncodeImage(_images, new Hooks().Replace(point, x =>
            {
                seen = x.shape;
                return x.clone();
            }));
        seen.ShouldBe(shape);
        // Replaced neurons meet c_proj's weights without the folded slope, so the last bit may differ.
        ReferenceFiles.RelativeError(output, _model.EncodeImage(_images)).ShouldBeLessThan(1e-6);
    }

    // Shapes as each form's documentation has them.
    [Theory]
    [InlineData("image-embedding", false, false)]
    [InlineData("cls@1", false, false)]
    [InlineData("residual@1", true, false)]
    [InlineData("mlp@1", true, false)]
    [InlineData("text-embedding", false, true)]
    [InlineData("text.residual@1", true, true)]
    [InlineData("text.mlp@1", true, true)]
    public void A_hook_point_knows_its_tower_and_whether_it_has_tokens(string name, bool hasTokens, bool isText)
    {
        var point = HookPoint.Parse(name);

        point.HasTokens.ShouldBe(hasTokens);
        point.IsText.ShouldBe(isText);
    }

    [Fact]
    public void What_attention_heads_give_has_tokens_and_a_name_that_says_the_block()
    {
        new HookPoint.Heads(2).HasTokens.ShouldBeTrue();
        new HookPoint.Heads(2).ToString().ShouldBe("heads@2");
    }

    [Theory]
    [InlineData("mlp@9", "hook point 'mlp@9': the model's vision tower has layers 0 to ")]
    [InlineData("text.mlp@9", "hook point 'text.mlp@9': the model's text tower has layers 0 to ")]
    public void A_layer_that_a_tower_lacks_is_refused_with_the_tower(string name, string message) =>
        Should.Throw<UserErrorException>(() => HookPoint.Parse(name).CheckedFor(_model.Architecture)).Message.ShouldStartWith(message);

    [Fact]
    public void Replaced_class_token_reaches_the_next_block()
    {
        using var noGrad = torch.no_grad();
        var hooks = new Hooks()
            .Replace(new HookPoint.Cls(0), x => torch.zeros_like(x))
            .Capture(new HookPoint.Cls(0))
            .Capture(new HookPoint.Residual(1));
        _model.EncodeImage(_images, hooks);
        hooks.Captured(new HookPoint.Cls(0)).abs().max().item<float>().ShouldBe(0);
        var plain = new Hooks().Capture(new HookPoint.Residual(1));
        _model.EncodeImage(_images, plain);
        plain.Captured(new HookPoint.Residual(1)).Equals(hooks.Captured(new HookPoint.Residual(1))).ShouldBeFalse();
    }

    [Theory]
    [InlineData("mlp@0")]
    [InlineData("cls@1")]
    [InlineData("image-embedding")]
    public void Running_only_as_deep_as_needed_captures_the_same(string name)
    {
        var point = HookPoint.Parse(name);
        var (shallow, whole) = (new Hooks().Capture(point), new Hooks().Capture(point));
        _model.Run(_images, shallow);
        _model.EncodeImage(_images, whole);
        shallow.Captured(point).Equals(whole.Captured(point)).ShouldBeTrue();
    }

    [Fact]
    public void Captures_are_differentiable()
    {
        var hooks = new Hooks().Capture(new HookPoint.Mlp(0));
        _model.EncodeImage(_images, hooks);
        hooks.Captured(new HookPoint.Mlp(0)).square().sum().backward();
        var weights = _model.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        weights["visual.transformer.resblocks.0.mlp.c_fc.weight"].grad!.abs().sum().item<float>().ShouldBeGreaterThan(0);
        weights["visual.transformer.resblocks.1.mlp.c_fc.weight"].grad.ShouldBeNull();
    }

    [Fact]
    public void Scaled_neurons_scale_the_gradient_that_passes_them()
    {
        // mlp@0 · 2 on every neuron: the gradient on c_proj's weight doubles to first order, since it is neuronsᵀ·upstream and only neurons
        // doubled at the last block.
        var all = torch.arange(512, dtype: torch.int64);
        var last = new HookPoint.Mlp(2);
        torch.Tensor Neurons(Hooks hooks)
        {
            _model.EncodeImage(_images, hooks.Capture(last));
            return hooks.Captured(last);
        }

        ReferenceFiles.RelativeError(Neurons(new Hooks().Scale(last, all, 2)), Neurons(new Hooks()) * 2).ShouldBe(0);
    }

    [Fact]
    public void Captured_values_die_with_the_caller_s_scope()
    {
        using var noGrad = torch.no_grad();
        var hooks = new Hooks().Capture(new HookPoint.Residual(0));
        using (torch.NewDisposeScope())
        {
            _model.EncodeImage(_images, hooks);
            hooks.Captured(new HookPoint.Residual(0)).IsInvalid.ShouldBeFalse();
        }

        hooks.Captured(new HookPoint.Residual(0)).IsInvalid.ShouldBeTrue();
    }

    [Fact]
    public void A_layer_the_model_lacks_is_refused() =>
        Should
            .Throw<UserErrorException>(() => _model.EncodeImage(_images, new Hooks().Capture(new HookPoint.Mlp(3))))
            .Message.ShouldContain("mlp@3");

    [Theory]
    [InlineData("image-embedding")]
    [InlineData("cls@0")]
    [InlineData("residual@12")]
    [InlineData("mlp@3")]
    public void Points_are_written_as_they_are_read(string name) => HookPoint.Parse(name).ToString().ShouldBe(name);

    [Theory]
    [InlineData("")]
    [InlineData("mlp")]
    [InlineData("mlp@-1")]
    [InlineData("mlp@x")]
    [InlineData("attention@1")]
    public void Unknown_points_are_refused(string name) =>
        Should.Throw<UserErrorException>(() => HookPoint.Parse(name)).Message.ShouldContain(name);
}
