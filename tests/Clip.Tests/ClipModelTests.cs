using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>Expected numbers: reference files of the original code; tolerance 1e-5 relative in float32.</summary>
public sealed class ClipModelTests : IDisposable
{
    private const double Tolerance = 1e-5;

    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly IDisposable _noGrad = torch.no_grad();

    public void Dispose()
    {
        _noGrad.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Sizes_are_read_off_the_tensors()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        model.Architecture.ShouldBe(new ClipArchitecture(64, 32, 3, 128, 8, 77, 300, 64, 2));
    }

    [Fact]
    public void Padding_brings_texts_to_one_of_few_sizes_and_leaves_their_features_alone()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var tokens = ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens");
        var trimmed = model.Trim(tokens);
        var padded = ClipModel.Pad(trimmed, model.Architecture.ContextLength);

        (padded.shape[0] % 32, padded.shape[1] == 77 || padded.shape[1] % 8 == 0).ShouldBe((0, true));
        padded.shape[0].ShouldBeGreaterThan(tokens.shape[0]);
        ReferenceFiles
            .RelativeError(model.EncodeTrimmedText(padded).narrow(0, 0, tokens.shape[0]), model.EncodeText(tokens))
            .ShouldBeLessThan(Tolerance);
        ClipModel.Pad(padded, model.Architecture.ContextLength).shape.ShouldBe(padded.shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Features_agree_with_the_original_code(bool geometric)
    {
        using var model = ClipModel.Load(geometric ? ReferenceFiles.GeometricModel : ReferenceFiles.Model);
        var expected = geometric ? ReferenceFiles.GeometricExpected : ReferenceFiles.Expected;
        model.IsGeometric.ShouldBe(geometric);
        var image = model.EncodeImage(ReferenceFiles.Read(ReferenceFiles.Expected, "image"));
        var text = model.EncodeText(ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens"));
        ReferenceFiles.RelativeError(image, ReferenceFiles.Read(expected, "image_features")).ShouldBeLessThan(Tolerance);
        ReferenceFiles.RelativeError(text, ReferenceFiles.Read(expected, "text_features")).ShouldBeLessThan(Tolerance);
    }

    [Fact]
    public void Logits_agree_with_the_original_code()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var image = model.EncodeImage(ReferenceFiles.Read(ReferenceFiles.Expected, "image"));
        var text = model.EncodeText(ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens"));
        var logits = model.LogitScale.exp() * (image / image.norm(1, keepdim: true)).matmul((text / text.norm(1, keepdim: true)).t());
        ReferenceFiles.RelativeError(logits, ReferenceFiles.Read(ReferenceFiles.Expected, "logits_per_image")).ShouldBeLessThan(Tolerance);
        ReferenceFiles
            .RelativeError(logits.t(), ReferenceFiles.Read(ReferenceFiles.Expected, "logits_per_text"))
            .ShouldBeLessThan(Tolerance);
    }

    [Fact]
    public void Every_block_agrees_with_the_original_code()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var hooks = new Hooks();
        for (var layer = 0; layer < 3; layer++)
        {
            hooks.Capture(new HookPoint.Residual(layer)).Capture(new HookPoint.Mlp(layer));
        }

        model.EncodeImage(ReferenceFiles.Read(ReferenceFiles.Expected, "image"), hooks);
        for (var layer = 0; layer < 3; layer++)
        {
            var before = ReferenceFiles.Read(ReferenceFiles.Expected, $"visual.resblocks.{layer}.mlp.c_fc.output");
            ReferenceFiles
                .RelativeError(
                    hooks.Captured(new HookPoint.Residual(layer)),
                    ReferenceFiles.Read(ReferenceFiles.Expected, $"visual.resblocks.{layer}.output")
                )
                .ShouldBeLessThan(Tolerance);
            ReferenceFiles
                .RelativeError(hooks.Captured(new HookPoint.Mlp(layer)), before * torch.sigmoid(1.702 * before))
                .ShouldBeLessThan(Tolerance);
        }
    }

    [Fact]
    public void A_text_s_features_do_not_depend_on_the_texts_beside_it()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var tokens = ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens");
        var together = model.EncodeText(tokens);
        for (var i = 0; i < tokens.shape[0]; i++)
        {
            ReferenceFiles.RelativeError(model.EncodeText(tokens.narrow(0, i, 1)), together.narrow(0, i, 1)).ShouldBeLessThan(Tolerance);
        }
    }

    [Fact]
    public void Saved_and_loaded_is_the_same_model()
    {
        var path = Path.GetTempFileName();
        using var model = ClipModel.Load(ReferenceFiles.GeometricModel);
        model.Save(path);
        File.ReadAllBytes(path).Length.ShouldBeGreaterThan(0);
        using var again = ClipModel.Load(path);
        var image = ReferenceFiles.Read(ReferenceFiles.Expected, "image");
        again.EncodeImage(image).Equals(model.EncodeImage(image)).ShouldBeTrue();
        File.Delete(path);
    }

    [Fact]
    public void Missing_key_is_named()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var weights = model.StateDict().ToDictionary();
        weights.Remove("visual.transformer.resblocks.1.ln_1.bias");
        Should
            .Throw<UserErrorException>(() => ClipModel.FromStateDict(weights))
            .Message.ShouldContain("'visual.transformer.resblocks.1.ln_1.bias' is missing");
    }

    [Fact]
    public void Misshapen_key_is_named()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var weights = model.StateDict().ToDictionary();
        weights["visual.proj"] = torch.zeros(128, 63);
        Should
            .Throw<UserErrorException>(() => ClipModel.FromStateDict(weights))
            .Message.ShouldContain("'visual.proj' is [128, 63], expected [128, 64]");
    }

    [Fact]
    public void Leftover_key_is_named()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var weights = model.StateDict().ToDictionary();
        weights["visual.attnpool.c_proj.weight"] = torch.zeros(1);
        Should.Throw<UserErrorException>(() => ClipModel.FromStateDict(weights)).Message.ShouldContain("'visual.attnpool.c_proj.weight'");
    }

    [Fact]
    public void A_seed_fixes_the_initial_weights()
    {
        var small = new ClipArchitecture(64, 64, 1, 128, 16, 16, 600, 64, 1);
        using var first = ClipModel.Initialize(small, 7);
        using var same = ClipModel.Initialize(small, 7);
        using var other = ClipModel.Initialize(small, 8);
        foreach (var (key, value) in first.StateDict())
        {
            value.Equals(same.StateDict()[key]).ShouldBeTrue(key);
        }

        first.StateDict()["visual.proj"].Equals(other.StateDict()["visual.proj"]).ShouldBeFalse();
    }

    [Fact]
    public void SinCos_positions_have_the_norm_of_half_the_width_times_the_scale()
    {
        // sin² + cos² = 1 for each of width/2 pairs.
        using var model = ClipModel.Initialize(
            new ClipArchitecture(64, 64, 1, 128, 16, 16, 600, 64, 1),
            1,
            new PositionInitialization.SinCos(0.7)
        );
        var norms = model.StateDict()["visual.positional_embedding"].norm(1);
        norms[0].item<float>().ShouldBe(0);
        norms.narrow(0, 1, 16).min().item<float>().ShouldBe((float)(0.7 * Math.Sqrt(64)), 1e-4);
        norms.max().item<float>().ShouldBe((float)(0.7 * Math.Sqrt(64)), 1e-4);
    }

    [Fact]
    public void Bfloat16_features_point_where_float32_features_point()
    {
        using var full = ClipModel.Load(ReferenceFiles.Model);
        using var half = ClipModel.Load(ReferenceFiles.Model, type: torch.bfloat16);
        var image = ReferenceFiles.Read(ReferenceFiles.Expected, "image");
        var features = half.EncodeImage(image);
        features.dtype.ShouldBe(torch.bfloat16);
        var cosine = torch.nn.functional.cosine_similarity(features.to(torch.float32), full.EncodeImage(image), 1).min().item<float>();
        TestContext.Current.TestOutputHelper?.WriteLine($"smallest cosine of bfloat16 to float32: {cosine}");
        // bfloat16 keeps 8 bits: a relative rounding of 2^-9 an operation leaves the cosine this close over three blocks.
        cosine.ShouldBeGreaterThan(0.9995f);
    }

    // A look at the last block has all its tokens computed; without one only the class token is.
    [Fact]
    public void What_the_last_block_leaves_out_has_no_gradient()
    {
        using var scope = torch.NewDisposeScope();
        using var grad = torch.enable_grad();
        var images = ReferenceFiles.Read(ReferenceFiles.Expected, "image");
        Dictionary<string, torch.Tensor> Gradients(Hooks? hooks)
        {
            using var model = ClipModel.Load(ReferenceFiles.Model);
            model.EncodeImage(images, hooks).square().sum().backward();
            return model
                .named_parameters()
                .Where(p => p.parameter.grad is not null)
                .ToDictionary(p => p.name, p => p.parameter.grad!.clone(), StringComparer.Ordinal);
        }

        var expected = Gradients(new Hooks().Capture(new HookPoint.Residual(2)));
        var gradients = Gradients(null);

        gradients.Keys.ShouldBe(expected.Keys, ignoreOrder: true);
        foreach (var (name, gradient) in gradients)
        {
            ReferenceFiles.RelativeError(gradient, expected[name]).ShouldBeLessThan(1e-4, name);
        }
    }

    [Theory]
    [InlineData("transformer.resblocks.1.attn.in_proj_weight")]
    [InlineData("transformer.resblocks.1.attn.in_proj_bias")]
    [InlineData("transformer.resblocks.1.mlp.c_fc.weight")]
    [InlineData("transformer.resblocks.0.mlp.c_proj.weight")]
    public void A_texts_gradient_is_its_difference_quotient(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var grad = torch.enable_grad();
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var tokens = ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens");
        var parameter = model.named_parameters().Single(p => p.name == name).parameter;
        using var generator = new torch.Generator(3, torch.CPU);
        var weights = torch.randn(model.Architecture.EmbedDim, generator: generator);
        torch.Tensor Value() => (model.EncodeText(tokens) * weights).sum();
        Value().backward();
        using var noGrad = torch.no_grad();
        var direction = parameter.grad! / parameter.grad!.norm();
        var expected = (parameter.grad! * direction).sum().item<float>();
        var start = parameter.clone();
        float At(float step)
        {
            parameter.copy_(start + (direction * torch.tensor(step)));
            return Value().item<float>();
        }

        ((At(5e-3f) - At(-5e-3f)) / 1e-2f).ShouldBe(expected, 0.02f * expected);
    }
}
