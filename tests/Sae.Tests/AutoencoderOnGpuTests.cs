using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using ClipSae.Tensors.Installation;
using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

/// <summary>A trained autoencoder's kernels on a GPU against its dense formulas on the processor. They run where there is a card.</summary>
public sealed class AutoencoderOnGpuTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(96, 512, 16)]
    [InlineData(101, 333, 7)]
    public void Ablation_and_mean_latents_are_those_of_the_formulas(int width, int latents, int k)
    {
        Assert.SkipWhen(CudaCards.All().Count == 0, "needs an NVIDIA GPU");
        var card = Compute.Device("cuda:0");
        using var sae = Random(width, latents, k);
        var x = randn(6, 17, width);
        int[] features = [.. Enumerable.Range(0, latents / 3)];
        var (ablated, mean) = (sae.Ablate(x, features), sae.MeanLatents(x));
        sae.To(card);
        Difference(sae.Ablate(x.to(card), features), ablated).ShouldBeLessThan(1e-4);
        Difference(sae.MeanLatents(x.to(card)), mean).ShouldBeLessThan(1e-4);
    }

    private static SparseAutoencoder Random(int width, int latents, int k)
    {
        var rows = randn(latents, width);
        rows.div_(rows.norm(1, true, 2));
        var encoder = rows + randn(latents, width) * 0.05;
        return new SparseAutoencoder(new SaeVariant.TopK(k), encoder, rows, randn(latents) * 0.1, randn(width) * 0.1, inputScale: 1);
    }

    private static double Difference(Tensor actual, Tensor expected) =>
        ((actual.cpu() - expected).abs().max() / expected.abs().max()).item<float>();
}
