using ClipSae.FineTuning.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests.Optimization;

public sealed class GradientsTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _first = zeros(2, requires_grad: true);
    private readonly Tensor _second = zeros(1, 2, requires_grad: true);

    public GradientsTests()
    {
        _first.grad = tensor(new[] { 2f, 4f });
        _second.grad = tensor(
            new[,]
            {
                { 5f, 2f },
            }
        );
    }

    private Tensor[] All => [_first.grad!, _second.grad!];

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Norm_is_that_of_all_gradients_together() => Gradients.Norm(All).item<float>().ShouldBe(7, 1e-6); // 4 + 16 + 25 + 4 = 49

    [Fact]
    public void Without_gradients_the_norm_is_zero() => Gradients.Norm([]).item<float>().ShouldBe(0);

    [Theory]
    [InlineData(0.7, 0.1)]
    [InlineData(7.01, 1)]
    public void The_factor_brings_the_norm_to_the_limit_and_never_above_itself(double limit, double expected) =>
        Gradients.ClipFactor(Gradients.Norm(All), limit).item<float>().ShouldBe((float)expected, 1e-6f);
}
