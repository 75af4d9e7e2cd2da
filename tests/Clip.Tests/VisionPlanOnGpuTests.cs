using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Tensors;
using ClipSae.Tensors.Installation;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>
/// The tower on a GPU against the one on a processor, in float32: features, every hook point, changes by hooks, and bytes in place of
/// floats. They run where there is a card.
/// </summary>
public sealed class VisionPlanOnGpuTests : IDisposable
{
    private static readonly ClipArchitecture Shape = new(64, 32, 4, 192, 8, 16, 514, 64, 1);

    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Features_and_captures_equal_the_processors()
    {
        var card = Card();
        using var model = ClipModel.Initialize(Shape, 3);
        using var expected = VisionPlan.Compile(model);
        var images = torch.randn(5, 3, 32, 32);
        HookPoint[] points =
        [
            new HookPoint.Mlp(0),
            new HookPoint.Residual(1),
            new HookPoint.Cls(1),
            new HookPoint.Cls(3),
            new HookPoint.ImageEmbedding(),
        ];
        var (there, here) = (new Hooks(), new Hooks());
        foreach (var point in points)
        {
            there.Capture(point);
            here.Capture(point);
        }

        var features = expected.EncodeImage(images, here);
        model.to(card);
        using var plan = VisionPlan.Compile(model);
        Difference(plan.EncodeImage(images.to(card), there), features).ShouldBeLessThan(2e-4);
        foreach (var point in points)
        {
            Difference(there.Captured(point), here.Captured(point)).ShouldBeLessThan(2e-4, point.ToString());
        }
    }

    [Theory]
    [InlineData("residual@1")]
    [InlineData("cls@2")]
    [InlineData("mlp@3")]
    [InlineData("image-embedding")]
    public void What_a_hook_changes_is_computed_on_with(string name)
    {
        var card = Card();
        var point = HookPoint.Parse(name);
        using var model = ClipModel.Initialize(Shape, 3);
        using var expected = VisionPlan.Compile(model);
        var images = torch.randn(5, 3, 32, 32);
        var features = expected.EncodeImage(images, new Hooks().Replace(point, x => x * 0.5 + 0.1));
        model.to(card);
        using var plan = VisionPlan.Compile(model);
        Difference(plan.EncodeImage(images.to(card), new Hooks().Replace(point, x => x * 0.5 + 0.1)), features).ShouldBeLessThan(2e-4);
    }

    [Fact]
    public void Bytes_are_normalised_on_the_card()
    {
        var card = Card();
        using var model = ClipModel.Initialize(Shape, 3);
        var planar = torch.randint(0, 256, [5, 3, 32, 32], dtype: torch.uint8);
        using var expected = VisionPlan.Compile(model);
        var features = expected.EncodeImage(PixelNormalization.OpenAi.Apply(planar));
        Difference(expected.EncodeImage(planar), features).ShouldBeLessThan(1e-6);
        model.to(card);
        using var plan = VisionPlan.Compile(model);
        Difference(plan.EncodeImage(planar.to(card)), features).ShouldBeLessThan(2e-4);
        Difference(plan.EncodeImage(planar.permute(0, 2, 3, 1).contiguous().to(card)), features).ShouldBeLessThan(2e-4);
        using var narrow = VisionPlan.Compile(model, torch.bfloat16);
        torch
            .nn.functional.cosine_similarity(narrow.EncodeImage(planar.to(card)).to(torch.float32).cpu(), features, 1)
            .min()
            .item<float>()
            .ShouldBeGreaterThan(0.999f);
    }

    private static torch.Device Card()
    {
        Assert.SkipWhen(CudaCards.All().Count == 0, "needs an NVIDIA GPU");
        return Compute.Device("cuda:0");
    }

    private static double Difference(torch.Tensor actual, torch.Tensor expected) =>
        ((actual.cpu() - expected).abs().max() / expected.abs().max()).item<float>();
}
