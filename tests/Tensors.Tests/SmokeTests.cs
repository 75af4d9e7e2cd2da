namespace ClipSae.Tensors.Tests;

public class SmokeTests
{
    [Fact]
    public void Libtorch_loads() => Smoke.Norm().ShouldBe(3, 1e-6);
}
