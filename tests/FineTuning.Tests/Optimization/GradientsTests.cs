using ClipSae.FineTuning.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests.Optimization;

public sealed class GradientsTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Tensor first = zeros(2, requires_grad: true);
    private readonly Tensor second = zeros(1, 2, requires_grad: true);

    public GradientsTests()
    {
        first.grad = tensor(new[] { 2f, 4f });
        second.grad = tensor(new[,] { { 5f, 2f } });
    }

    private Tensor[] All => [first.grad!, second.grad!];

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Norm_is_that_of_all_gradients_together() => Gradients.Norm(All).item<float>().ShouldBe(7, 1e-6); // 4 + 16 + 25 + 4 = 49

    [Fact]
    public void Without_gradients_the_norm_is_zero() => Gradients.Norm([]).item<float>().ShouldBe(0);

    [Fact]
    public void Clipping_scales_all_gradients_alike()
    {
        Gradients.Clip(All, Gradients.Norm(All), 0.7);

        first.grad!.data<float>().ShouldBe([0.2f, 0.4f], 1e-6f);
        second.grad!.data<float>().ShouldBe([0.5f, 0.2f], 1e-6f);
    }

    [Fact]
    public void Gradients_within_the_limit_keep_their_bits()
    {
        Gradients.Clip(All, Gradients.Norm(All), 7.01);

        first.grad!.data<float>().ShouldBe([2f, 4f]);
        second.grad!.data<float>().ShouldBe([5f, 2f]);
    }
}
