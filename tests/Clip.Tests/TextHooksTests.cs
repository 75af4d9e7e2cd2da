using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.TestKit.Files;
using TorchSharp;
using static TorchSharp.torch.nn.functional;

namespace ClipSae.Clip.Tests;

/// <summary>Hook points of the text tower, against the tower's blocks written out with elementary operations.</summary>
public sealed class TextHooksTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData("gelu")]
    [InlineData("quick")]
    [InlineData("siglip")]
    public void Values_at_every_point_are_those_of_the_tower_written_out(string name)
    {
        var (model, tokens) = Open(name);
        using var _ = model;
        using var noGrad = torch.no_grad();
        var expected = WrittenOut(model, model.Trim(tokens));
        var hooks = new Hooks();
        expected.Keys.ToList().ForEach(point => hooks.Capture(point));

        var features = model.EncodeText(tokens, hooks);

        foreach (var (point, values) in expected)
        {
            ReferenceFiles.RelativeError(hooks.Captured(point), values).ShouldBeLessThan(1e-5, $"{point}");
        }

        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.TextEmbedding()), features).ShouldBe(0);
        ReferenceFiles.RelativeError(features, model.EncodeText(tokens)).ShouldBeLessThan(1e-5);
    }

    [Theory]
    [InlineData("text.mlp@0", "gelu")]
    [InlineData("text.residual@1", "siglip")]
    [InlineData("text-embedding", "gelu")]
    public void Running_only_as_deep_as_needed_captures_the_same(string hook, string name)
    {
        var (model, tokens) = Open(name);
        using var _ = model;
        using var noGrad = torch.no_grad();
        var point = HookPoint.Parse(hook);
        var (shallow, whole) = (new Hooks().Capture(point), new Hooks().Capture(point));
        model.RunText(tokens, shallow);
        model.EncodeText(tokens, whole);
        shallow.Captured(point).Equals(whole.Captured(point)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("text.mlp@1")]
    [InlineData("text.residual@0")]
    [InlineData("text-embedding")]
    public void A_replaced_value_reaches_the_features_and_nothing_stays_hooked(string hook)
    {
        var (model, tokens) = Open("gelu");
        using var _ = model;
        using var noGrad = torch.no_grad();
        var before = model.EncodeText(tokens);
        ReferenceFiles
            .RelativeError(model.EncodeText(tokens, new Hooks().Replace(HookPoint.Parse(hook), values => torch.zeros_like(values))), before)
            .ShouldBeGreaterThan(1e-3);
        model.EncodeText(tokens).Equals(before).ShouldBeTrue();
    }

    [Theory]
    [InlineData("text-embedding")]
    [InlineData("text.residual@11")]
    [InlineData("text.mlp@0")]
    public void Points_are_written_as_they_are_read(string name)
    {
        HookPoint.Parse(name).ToString().ShouldBe(name);
        HookPoint.Parse(name).IsText.ShouldBeTrue();
    }

    [Fact]
    public void A_layer_that_only_the_other_tower_has_is_refused()
    {
        var architecture = new ClipArchitecture(64, 32, 4, 128, 8, 16, 600, 64, 1);
        new HookPoint.Mlp(3).CheckedFor(architecture).Width(architecture).ShouldBe(512);
        new HookPoint.TextMlp(0).CheckedFor(architecture).Width(architecture).ShouldBe(256);
        Should
            .Throw<UserErrorException>(() => new HookPoint.TextMlp(1).CheckedFor(architecture))
            .Message.ShouldBe("hook point 'text.mlp@1': the model's text tower has layers 0 to 0");
    }

    [Fact]
    public void A_point_of_the_other_tower_is_no_silent_nothing()
    {
        var (model, tokens) = Open("gelu");
        using var _ = model;
        Should
            .Throw<ArgumentException>(() => model.EncodeText(tokens, new Hooks().Capture(new HookPoint.Mlp(0))))
            .Message.ShouldContain("mlp@0");
    }

    private static (ClipModel Model, torch.Tensor Tokens) Open(string name)
    {
        var folder = ReferenceFiles.Named(Path.Combine("transformers", name));
        return (ClipModel.Load(folder), ReferenceFiles.Read(Path.Combine(folder, "expected.safetensors"), "tokens"));
    }

    private static Dictionary<HookPoint, torch.Tensor> WrittenOut(ClipModel model, torch.Tensor tokens)
    {
        var (a, weights, values) = (model.Architecture, model.PlainStateDict(), new Dictionary<HookPoint, torch.Tensor>());
        var (count, headWidth) = (tokens.shape[1], a.TextWidth / a.TextHeads);
        torch.Tensor Norm(torch.Tensor x, string key) =>
            layer_norm(x, [a.TextWidth], weights[key + ".weight"], weights[key + ".bias"], a.Family.NormEpsilon);
        torch.Tensor Layer(torch.Tensor x, string weight, string bias) => x.matmul(weights[weight].t()) + weights[bias];
        torch.Tensor Activated(torch.Tensor x) =>
            a.Activation.Name switch
            {
                "quick_gelu" => x * torch.sigmoid(1.702 * x),
                "gelu" => x * 0.5 * (1 + torch.erf(x / Math.Sqrt(2))),
                _ => x * 0.5 * (1 + torch.tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x.pow(3)))),
            };
        var mask = a.Family.IsTextCausal ? torch.full([count, count], float.NegativeInfinity).triu(1) : torch.zeros(count, count);
        var x = weights["token_embedding.weight"][tokens] + weights["positional_embedding"].narrow(0, 0, count);
        for (var layer = 0; layer < a.TextLayers; layer++)
        {
            var block = $"transformer.resblocks.{layer}";
            var parts = Layer(Norm(x, block + ".ln_1"), block + ".attn.in_proj_weight", block + ".attn.in_proj_bias")
                .chunk(3, 2)
                .Select(part => part.view(part.shape[0], count, a.TextHeads, headWidth).transpose(1, 2))
                .ToArray();
            var attention = (parts[0].matmul(parts[1].transpose(2, 3)) / Math.Sqrt(headWidth) + mask)
                .softmax(3)
                .matmul(parts[2])
                .transpose(1, 2)
                .reshape(x.shape);
            x += Layer(attention, block + ".attn.out_proj.weight", block + ".attn.out_proj.bias");
            var neurons = Activated(Layer(Norm(x, block + ".ln_2"), block + ".mlp.c_fc.weight", block + ".mlp.c_fc.bias"));
            x += Layer(neurons, block + ".mlp.c_proj.weight", block + ".mlp.c_proj.bias");
            values[new HookPoint.TextMlp(layer)] = neurons;
            values[new HookPoint.TextResidual(layer)] = x;
        }

        var ends = a.Family.IsTextCausal ? tokens.argmax(-1) : torch.full([tokens.shape[0]], count - 1, dtype: torch.int64);
        var end = Norm(
            torch.stack([.. Enumerable.Range(0, (int)tokens.shape[0]).Select(text => x[text, ends[text].item<long>()])]),
            "ln_final"
        );
        values[new HookPoint.TextEmbedding()] = a.Family.IsTextCausal
            ? end.matmul(weights["text_projection"])
            : Layer(end, "text_projection.weight", "text_projection.bias");
        return values;
    }
}
