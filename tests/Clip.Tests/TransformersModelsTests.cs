using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>Models that are not OpenAI's in activation, heads or MLPs, against transformers' own CLIPModel (<c>Reference/transformers_models.py</c>).</summary>
public sealed class TransformersModelsTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData("gelu", "gelu", 2, 5, 120, 160)]
    [InlineData("tanh", "gelu_pytorch_tanh", 3, 1, 64, 96)]
    [InlineData("quick", "quick_gelu", 6, 2, 100, 64)]
    public void Features_and_blocks_agree_with_transformers(string name, string activation, int visionHeads, int textHeads, int visionNeurons, int textNeurons)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Reference", "transformers", name);
        using var model = ClipModel.Load(folder);
        using var plan = VisionPlan.Compile(model);
        using var expected = Tensors.SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var (pixels, tokens) = (expected.Read("pixels"), expected.Read("tokens"));
        var (a, hooks) = (model.Architecture, new Hooks().Capture(new HookPoint.Residual(0)).Capture(new HookPoint.Residual(1)));

        (a.Activation.Name, a.VisionHeads, a.TextHeads, a.VisionNeurons, a.TextNeurons).ShouldBe((activation, visionHeads, textHeads, visionNeurons, textNeurons));
        ReferenceFiles.RelativeError(model.EncodeImage(pixels), expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(plan.EncodeImage(pixels, hooks), expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(0)), expected.Read("vision.0")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(1)), expected.Read("vision.1")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(model.EncodeText(tokens), expected.Read("text_features")).ShouldBeLessThan(1e-5);
    }
}
