using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

public sealed class LowRankAdapterTests : IDisposable
{
    private static readonly LowRankAdapter Adapter = new(3, 6, ["in_proj", "c_fc"]);
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void An_adapted_model_begins_as_what_it_was()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var (images, tokens) = Inputs(model.Architecture);
        var (image, text) = (model.EncodeImage(images), model.EncodeText(tokens));
        model.Attach(Adapter, seed: 1);

        model.EncodeImage(images).Equals(image).ShouldBeTrue();
        model.EncodeText(tokens).Equals(text).ShouldBeTrue();
        model.AdapterDrift().ShouldBe(0);
        // 3 + 2 blocks with two layers each.
        model.StateDict().Keys.Count(key => LowRankAdapter.LayerOf(key) is not null).ShouldBe(2 * 5 * 2);
    }

    // W + α/rank·B·A, in the weights that are written and in what is computed.
    [Theory]
    [InlineData("visual.transformer.resblocks.1.mlp.c_fc", ".weight")]
    [InlineData("transformer.resblocks.0.attn.in_proj_weight", "")]
    public void What_is_computed_and_written_is_the_sum(string layer, string ending)
    {
        using var noGrad = torch.no_grad();
        using var model = ClipModel.Load(ReferenceFiles.Model);
        var (images, tokens) = Inputs(model.Architecture);
        model.Attach(Adapter, seed: 1);
        var (a, b) = (model.StateDict()["lora_a." + layer], model.StateDict()["lora_b." + layer]);
        b.copy_(torch.randn(b.shape) * 0.1);
        var expected = model.StateDict()[layer + ending] + (b.mm(a) * (6.0 / 3));
        model.Save(_folder.File("merged.safetensors"));

        using var merged = ClipModel.Load(_folder.File("merged.safetensors"));
        (merged.StateDict()[layer + ending] - expected).abs().max().item<float>().ShouldBeLessThan(1e-6f);
        ReferenceFiles.RelativeError(model.EncodeImage(images), merged.EncodeImage(images)).ShouldBeLessThan(1e-6);
        ReferenceFiles.RelativeError(model.EncodeText(tokens), merged.EncodeText(tokens)).ShouldBeLessThan(1e-6);
        using var plan = VisionPlan.Compile(model);
        ReferenceFiles.RelativeError(plan.EncodeImage(images), merged.EncodeImage(images)).ShouldBeLessThan(1e-5);
        model.AdapterDrift().ShouldBeGreaterThan(0);
    }

    // Without gradients of its own an adapted tower is still recomputed.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradients_are_those_of_the_adapter_alone_recomputed_or_not(bool isFlat)
    {
        var norms = new[] { false, true }
            .Select(recompute =>
            {
                using var model = ClipModel.Load(ReferenceFiles.Model);
                var (images, _) = Inputs(model.Architecture);
                model.Attach(Adapter, seed: 1);
                foreach (var (name, parameter) in model.named_parameters())
                {
                    parameter.requires_grad = LowRankAdapter.LayerOf(name) is not null;
                }

                string[] trained =
                [
                    .. model
                        .StateDict()
                        .Keys.Where(key => LowRankAdapter.LayerOf(key)?.StartsWith("visual.", StringComparison.Ordinal) == true),
                ];
                using var training = ClipTraining.Begin(model, [trained], torch.float32, recompute, isFlat);
                model.EncodeImage(images).Squared().sum().backward();
                var isKeptWhole = model
                    .named_parameters()
                    .Any(parameter =>
                        parameter.name.StartsWith(LowRankAdapter.B, StringComparison.Ordinal) && parameter.parameter.grad is not null
                    );
                if (!isFlat)
                {
                    // The last block is computed for one token and is never recomputed; all before it wait for the end of the backward
                    // pass.
                    isKeptWhole.ShouldBeTrue();
                    (
                        model
                            .named_parameters()
                            .Single(parameter => parameter.name == "lora_b.visual.transformer.resblocks.0.mlp.c_fc")
                            .parameter.grad
                        is null
                    ).ShouldBe(recompute);
                }

                training.CompleteBackward();
                return trained
                    .Where(key => key.StartsWith(LowRankAdapter.B, StringComparison.Ordinal))
                    .Sum(key =>
                        (
                            isFlat
                                ? training.Weights!.Layout[key].Of(training.Weights.Gradients)
                                : model.named_parameters().Single(parameter => parameter.name == key).parameter.grad!
                        )
                            .norm()
                            .item<float>()
                    );
            })
            .ToArray();

        norms[0].ShouldBeGreaterThan(0);
        norms[1].ShouldBe(norms[0], 1e-4 * norms[0]);
    }

    [Fact]
    public void A_model_is_adapted_once_and_not_in_geometric_parametrization()
    {
        using var model = ClipModel.Load(ReferenceFiles.Model);
        model.Attach(Adapter, seed: 1);
        Should.Throw<InvalidOperationException>(() => model.Attach(Adapter, seed: 1));

        using var geometric = ClipModel.Load(ReferenceFiles.Model);
        geometric.ToGeometric();
        Should.Throw<InvalidOperationException>(() => geometric.Attach(Adapter, seed: 1));
    }

    private static (torch.Tensor Images, torch.Tensor Tokens) Inputs(ClipArchitecture a)
    {
        using var generator = new torch.Generator(3, torch.CPU);
        var tokens = torch.zeros(2, a.ContextLength, dtype: torch.int64);
        tokens[0, 0] = tokens[1, 0] = 5;
        tokens[0, 1] = tokens[1, 4] = a.VocabularySize - 1;
        return (torch.randn([2, 3, a.ImageResolution, a.ImageResolution], generator: generator), tokens);
    }
}
