using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>
/// Models that are not OpenAI's in activation, heads or MLPs, against open_clip's own code (<c>Reference/open_clip_models.py</c>).
/// </summary>
public sealed class OpenClipModelsTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("gelu", "gelu", 2, 5, 120, 160)]
    [InlineData("tanh", "gelu_pytorch_tanh", 2, 2, 128, 128)]
    [InlineData("quick", "quick_gelu", 4, 3, 128, 72)]
    [InlineData("worldwide", "quick_gelu", 2, 3, 128, 96)]
    public void Features_and_blocks_agree_with_open_clip(
        string name,
        string activation,
        int visionHeads,
        int textHeads,
        int visionNeurons,
        int textNeurons
    )
    {
        using var model = ClipModel.Load(Case(name));
        using var plan = VisionPlan.Compile(model);
        using var expected = SafetensorsFile.Open(Path.Combine(Case(name), "expected.safetensors"));
        var (pixels, tokens) = (expected.Read("pixels"), expected.Read("tokens"));
        var (a, hooks) = (model.Architecture, new Hooks().Capture(new HookPoint.Residual(0)).Capture(new HookPoint.Mlp(1)));

        (a.Activation.Name, a.VisionHeads, a.TextHeads, a.VisionNeurons, a.TextNeurons).ShouldBe(
            (activation, visionHeads, textHeads, visionNeurons, textNeurons)
        );
        a.Family.ShouldBe(name == "worldwide" ? ClipFamily.MetaClip2 : ClipFamily.OpenAi);
        ReferenceFiles.RelativeError(model.EncodeImage(pixels), expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(plan.EncodeImage(pixels, hooks), expected.Read("image_features")).ShouldBeLessThan(1e-5);
        ReferenceFiles.RelativeError(hooks.Captured(new HookPoint.Residual(0)), expected.Read("vision.0")).ShouldBeLessThan(1e-5);
        hooks.Captured(new HookPoint.Mlp(1)).shape[^1].ShouldBe(visionNeurons);
        ReferenceFiles.RelativeError(model.EncodeText(tokens), expected.Read("text_features")).ShouldBeLessThan(1e-5);

        model.ToGeometric();
        ReferenceFiles.RelativeError(model.EncodeImage(pixels), expected.Read("image_features")).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Every_function_is_what_its_formula_says()
    {
        var x = torch.linspace(-6, 6, 241, torch.float64);
        var exact = x * (1 + torch.special.erf(x / Math.Sqrt(2))) / 2;

        Value(MlpActivation.QuickGelu).ShouldBe(x * torch.sigmoid(1.702 * x));
        Value(MlpActivation.Gelu).ShouldBe(exact);
        Value(MlpActivation.TanhGelu).ShouldBe(x * (1 + torch.tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x.pow(3))))) / 2);

        Close Value(MlpActivation activation) =>
            new(
                activation.Apply(x.Times(activation.Slope)).Over(activation.Slope),
                activation.ApplyInPlace(x.Times(activation.Slope)).Over(activation.Slope)
            );
    }

    // Weights move from file to file; what they cannot say goes along.
    [Fact]
    public void A_file_written_from_such_a_model_says_what_it_is()
    {
        var (whole, trained) = (_folder.File("whole.safetensors"), _folder.File("trained.safetensors"));
        using (var checkpoint = ClipCheckpoint.Open(Case("gelu")))
        {
            checkpoint.SaveAs(whole);
        }

        using (var model = ClipModel.Load(whole))
        {
            model.ToGeometric();
            model.Save(trained);
        }

        using var again = ClipCheckpoint.Open(trained);
        (again.Architecture.Activation, again.Architecture.VisionHeads, again.Architecture.TextHeads, again.IsActivationAssumed).ShouldBe(
            (MlpActivation.Gelu, 2, 5, false)
        );
    }

    [Fact]
    public void Bare_weights_take_what_the_user_says_and_what_is_assumed_is_known()
    {
        var bare = _folder.File("bare.safetensors");
        File.Copy(Path.Combine(Case("gelu"), "open_clip_model.safetensors"), bare);

        using (var assumed = ClipCheckpoint.Open(bare))
        {
            (assumed.Architecture.Activation, assumed.IsActivationAssumed).ShouldBe((MlpActivation.QuickGelu, true));
        }

        using (var named = ClipCheckpoint.Open(bare, named: new ModelTraits(MlpActivation.Gelu, 2, 5)))
        {
            (named.Architecture.Activation, named.Architecture.VisionHeads, named.IsActivationAssumed).ShouldBe(
                (MlpActivation.Gelu, 2, false)
            );
        }

        Should
            .Throw<UserErrorException>(() => ClipCheckpoint.Open(bare, named: new ModelTraits(MlpActivation.Gelu, 7)))
            .Message.ShouldBe(
                $"{bare}: 7 heads do not divide the vision tower's width of 48; name the number of heads that the model was trained with"
            );
        Should
            .Throw<UserErrorException>(() => ClipCheckpoint.Open(Case("gelu"), named: new ModelTraits(MlpActivation.QuickGelu)))
            .Message.ShouldContain("the activation is said to be quick_gelu in one place and gelu in another");
    }

    private static string Case(string name) => Path.Combine(AppContext.BaseDirectory, "Reference", "open_clip", name);

    private sealed record Close(torch.Tensor Value, torch.Tensor InPlace)
    {
        public void ShouldBe(torch.Tensor expected)
        {
            Value.allclose(expected, 1e-10, 1e-12).ShouldBeTrue();
            InPlace.allclose(expected, 1e-10, 1e-12).ShouldBeTrue();
        }
    }
}
