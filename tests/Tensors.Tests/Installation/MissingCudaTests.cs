using ClipSae.Tensors.Installation;

namespace ClipSae.Tensors.Tests.Installation;

public class MissingCudaTests
{
    private static readonly TorchInstallation Cuda13 = new("/t/torch", "2.11.0+cu130", "13.0", []);
    private static readonly TorchInstallation Plain = new("/t/torch", "2.11.0+cpu", null, []);

    [Fact]
    public void No_driver() =>
        MissingCuda.Explain(0, null, 0, null, false, "python3 has no PyTorch").ShouldBe("this machine has no NVIDIA driver; use cpu");

    [Fact]
    public void No_card() => MissingCuda.Explain(0, 13000, 0, Cuda13, false, null).ShouldStartWith("the driver shows no card");

    [Fact]
    public void No_PyTorch() =>
        MissingCuda
            .Explain(0, 13000, 1, null, false, "python3 has no PyTorch")
            .ShouldBe(
                "python3 has no PyTorch; install PyTorch with CUDA for python3, or name the folder of one with --torch or CLIPSAE_TORCH"
            );

    [Fact]
    public void PyTorch_without_Cuda() =>
        MissingCuda
            .Explain(0, 13000, 1, Plain, false, null)
            .ShouldBe("PyTorch 2.11.0+cpu at /t/torch is built without CUDA; name another with --torch or CLIPSAE_TORCH");

    [Fact]
    public void A_driver_older_than_PyTorch() =>
        MissingCuda
            .Explain(0, 12080, 1, Cuda13, false, null)
            .ShouldBe(
                "the driver supports CUDA 12.8 and PyTorch 2.11.0+cu130 needs 13.0; update the driver, or install a PyTorch for CUDA 12"
            );

    [Theory]
    [InlineData(1, "there is 1 card, cuda:0")]
    [InlineData(4, "there are 4 cards, cuda:0 to cuda:3")]
    public void A_number_that_no_card_has(int cards, string expected) =>
        MissingCuda.Explain(7, 13000, cards, Cuda13, false, null).ShouldBe(expected);

    [Fact]
    public void Cards_that_libtorch_cannot_use() =>
        MissingCuda.Explain(0, 13000, 1, Cuda13, false, null).ShouldContain("libtorch cannot use any");
}
