using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>
/// Models that are not OpenAI's in activation, heads or MLPs, against transformers' own CLIPModel
/// (<c>Reference/transformers_models.py</c>).
/// </summary>
public sealed class TransformersModelsTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData("gelu", "gelu", 2, 5, 120, 160)]
    [InlineData("tanh", "gelu_pytorch_tanh", 3, 1, 64, 96)]
    [InlineData("quick", "quick_gelu", 6, 2, 100, 64)]
    public void Features_and_blocks_agree_with_transformers(
        string name,
        string activation,
        int visionHeads,
        int textHeads,
        int visionNeurons,
        int textNeurons
    )
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Reference", "transformers", name);
        using var model = ClipModel.Load(folder);
        using var plan = VisionPlan.Compile(model);
        using var expected = Tensors.SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var (pixels, tokens) = (expected.Read("pixels"), expected.Read("tokens"));
        var (a, hooks) = (model.Architecture, new Hooks().Capture(new HookPoint.Residual(0)).Capture(new HookPoint.Residual(1)));

        (a.Activation.Name, a.VisionHeads, a.TextHeads, a.VisionNeurons, a.TextNeurons).ShouldBe(
            (activation, visionHeads, textHeads, visionNeurons, textNeurons)
        );
        ReferenceFiles.RelativeError(model.EncodeImage(pixels), expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(plan.EncodeImage(pixels, hooks), expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(0)), expected.Read("vision.0")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(1)), expected.Read("vision.1")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(model.EncodeText(tokens), expected.Read("text_features")).ShouldBeLessThan(1e-5);
    }

    /// <summary>Towers, logits and loss, and that of pictures wider than their patches only the covered pixels count.</summary>
    [Theory]
    [InlineData("siglip", 28, 2, 5, 48, 40)]
    [InlineData("siglip_even", 24, 1, 1, 32, 32)]
    public void A_SigLIP_agrees_with_transformers(
        string name,
        int pixelsASide,
        int visionHeads,
        int textHeads,
        int visionWidth,
        int textWidth
    )
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Reference", "transformers", name);
        using var model = ClipModel.Load(folder);
        using var plan = VisionPlan.Compile(model);
        using var expected = Tensors.SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var (pixels, tokens) = (expected.Read("pixels"), expected.Read("tokens"));
        var (a, hooks) = (model.Architecture, new Hooks().Capture(new HookPoint.Residual(0)).Capture(new HookPoint.Residual(1)));

        (a.Family, a.Activation, a.VisionTokens, a.EmbedDim).ShouldBe((ClipFamily.SigLip, MlpActivation.TanhGelu, 9, visionWidth));
        (a.ImageResolution, a.VisionHeads, a.TextHeads, a.TextWidth).ShouldBe((pixelsASide, visionHeads, textHeads, textWidth));
        var (images, texts) = (model.EncodeImage(pixels), model.EncodeText(tokens));
        ReferenceFiles.RelativeError(images, expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(plan.EncodeImage(pixels, hooks), expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(0)), expected.Read("vision.0")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(1)), expected.Read("vision.1")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(texts, expected.Read("text_features")).ShouldBeLessThan(1e-5);
        var logits =
            model.LogitScale.exp() * torch.nn.functional.normalize(images, dim: 1).matmul(torch.nn.functional.normalize(texts, dim: 1).t())
            + model.LogitBias!;
        ReferenceFiles.RelativeError(logits, expected.Read("logits")).ShouldBeLessThan(1e-5);
    }

    /// <summary>Texts are read at the first end of text of XLM-V, which is not the largest id.</summary>
    [Fact]
    public void A_MetaCLIP_2_agrees_with_transformers()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Reference", "transformers", "metaclip_2");
        using var model = ClipModel.Load(folder);
        using var plan = VisionPlan.Compile(model);
        using var expected = Tensors.SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var (pixels, tokens) = (expected.Read("pixels"), expected.Read("tokens"));
        var (a, hooks) = (model.Architecture, new Hooks().Capture(new HookPoint.Residual(0)).Capture(new HookPoint.Residual(1)));

        (a.Family, a.Activation, a.VisionHeads, a.TextHeads).ShouldBe((ClipFamily.MetaClip2, MlpActivation.Gelu, 3, 5));
        var (images, texts) = (model.EncodeImage(pixels), model.EncodeText(tokens));
        ReferenceFiles.RelativeError(images, expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(plan.EncodeImage(pixels, hooks), expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(0)), expected.Read("vision.0")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(1)), expected.Read("vision.1")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(texts, expected.Read("text_features")).ShouldBeLessThan(1e-5);
        var logits =
            model.LogitScale.exp() * torch.nn.functional.normalize(images, dim: 1).matmul(torch.nn.functional.normalize(texts, dim: 1).t());
        ReferenceFiles.RelativeError(logits, expected.Read("logits")).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Points_at_a_class_token_are_refused_on_a_SigLIP_before_anything_is_computed()
    {
        using var model = ClipModel.Load(Path.Combine(AppContext.BaseDirectory, "Reference", "transformers", "siglip"));

        Should
            .Throw<Contracts.UserErrorException>(() =>
                model.EncodeImage(torch.zeros(1, 3, 28, 28), new Hooks().Capture(new HookPoint.Cls(1)))
            )
            .Message.ShouldBe(
                "hook point 'cls@1': the vision tower of a SigLIP has no class token; use residual@1, mlp@1 or image-embedding"
            );
    }

    [Theory]
    [InlineData("siglip", 28, 16)]
    [InlineData("metaclip_2", 24, 32)]
    public void A_model_of_another_family_is_the_same_after_it_was_saved_in_plain_weights_and_in_Geometric_Parametrization(
        string name,
        int side,
        int context
    )
    {
        var folder = Directory.CreateTempSubdirectory("clipsae-test-").FullName;
        try
        {
            using var model = ClipModel.Load(Path.Combine(AppContext.BaseDirectory, "Reference", "transformers", name));
            var (pixels, tokens) = (torch.randn([2, 3, side, side]), torch.randint(0, 64, [2, context], dtype: torch.int64));
            model.Save(Path.Combine(folder, "plain.safetensors"));
            var (images, texts) = (model.EncodeImage(pixels), model.EncodeText(tokens));
            model.ToGeometric();
            model.Save(Path.Combine(folder, "gmp.safetensors"));
            model.StateDict().Keys.Contains("visual.head.mlp.c_fc.theta").ShouldBe(name == "siglip");
            foreach (var file in new[] { "plain", "gmp" })
            {
                using var read = ClipModel.Load(Path.Combine(folder, file + ".safetensors"));
                read.Architecture.ShouldBe(model.Architecture);
                ReferenceFiles.RelativeError(read.EncodeImage(pixels), images).ShouldBeLessThan(1e-5);
                ReferenceFiles.RelativeError(read.EncodeText(tokens), texts).ShouldBeLessThan(1e-5);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
