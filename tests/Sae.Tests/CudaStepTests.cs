using ClipSae.Sae.Cuda;
using ClipSae.Sae.Steps;
using ClipSae.Tensors;
using ClipSae.Tensors.Installation;
using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

/// <summary>
/// The GPU's kernels against autograd on the same card: same start, same batch, all parameters and moments compared. They run where there
/// is a card.
/// </summary>
public sealed class CudaStepTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData("topk", 24, 64, 3, 256)]
    [InlineData("topk-tied", 24, 64, 3, 256)]
    [InlineData("topk", 100, 333, 17, 130)]
    [InlineData("topk-tied", 101, 333, 17, 130)]
    [InlineData("topk", 768, 4096, 32, 512)]
    [InlineData("topk", 2048, 4096, 128, 300)]
    [InlineData("topk", 64, 2048, 500, 64)]
    [InlineData("topk", 16, 40, 40, 5)]
    [InlineData("topk-tied", 3, 7, 2, 2)]
    [InlineData("batch-topk", 100, 333, 17, 130)]
    [InlineData("batch-topk", 768, 4096, 32, 512)]
    [InlineData("matryoshka", 100, 333, 17, 130)]
    [InlineData("matryoshka", 768, 4096, 32, 512)]
    public void A_step_on_the_card_equals_autograd(string variant, int width, int latents, int k, int rows)
    {
        var device = Card();
        var options = Options(variant, latents, k);
        using var reference = Start(options, width, device);
        using var state = Start(options, width, device);
        var batch = Batch(rows, width).to(device);
        using var dense = new DenseStep(options);
        using var kernels = new CudaStep(options, width, device);
        for (var step = 0; step < 2; step++)
        {
            // The second step sees that the encoder's narrow copy was renewed.
            Copy(reference, state);
            var expected = dense.Run(reference, batch, 1e-3);
            var losses = kernels.Run(state, batch, 1e-3);
            Relative(losses, expected).ShouldBeLessThan(1e-4);
            ShouldAgree(state, reference);
        }
    }

    [Theory]
    [InlineData("topk", 0.1)]
    [InlineData("topk-tied", 0.1)]
    [InlineData("topk", 0.6)]
    [InlineData("matryoshka", 0.1)]
    [InlineData("batch-topk", 0.1)]
    public void With_dead_latents_too(string variant, double deadShare)
    {
        var device = Card();
        var options = Options(variant, 333, 17) with { DeadAfter = 10 };
        using var reference = Start(options, 100, device);
        using var state = Start(options, 100, device);
        foreach (var each in new[] { reference, state })
        {
            each.SinceFired.narrow(0, 5, (long)(333 * deadShare)).fill_(11);
        }

        var batch = Batch(1100, 100).to(device);
        using var dense = new DenseStep(options);
        using var kernels = new CudaStep(options, 100, device);
        var expected = dense.Run(reference, batch, 1e-3);
        var losses = kernels.Run(state, batch, 1e-3);

        expected[1].item<float>().ShouldBeGreaterThan(0);
        Relative(losses, expected).ShouldBeLessThan(3e-3); // AuxK's products are in TF32
        ShouldAgree(state, reference, 3e-3);
    }

    [Fact]
    public void The_same_step_twice_has_the_same_bits()
    {
        var device = Card();
        var options = Options("topk", 4096, 32);
        using var first = Start(options, 768, device);
        using var second = Start(options, 768, device);
        var batch = Batch(512, 768).to(device);
        foreach (var state in new[] { first, second })
        {
            using var kernels = new CudaStep(options, 768, device);
            for (var step = 0; step < 5; step++)
            {
                kernels.Run(state, batch, 1e-3).Dispose();
            }
        }

        foreach (var (name, tensor) in first.Tensors)
        {
            second.Tensors[name].cpu().bytes.SequenceEqual(tensor.cpu().bytes).ShouldBeTrue(name);
        }
    }

    private static Device Card()
    {
        Assert.SkipWhen(CudaCards.All().Count == 0, "needs an NVIDIA GPU");
        return Compute.Device("cuda:0");
    }

    private static void Copy(SaeTrainingState from, SaeTrainingState to)
    {
        using var guard = no_grad();
        foreach (var (name, tensor) in from.Tensors)
        {
            to.Tensors[name].copy_(tensor);
        }
    }

    private static void ShouldAgree(SaeTrainingState state, SaeTrainingState reference, double tolerance = 1e-4)
    {
        // The first moment is (1 − β₁)·gradient and the second its square: they compare gradients without Adam's division by tiny numbers.
        foreach (var parameter in reference.Parameters)
        {
            Relative(state.FirstMoment(parameter), reference.FirstMoment(parameter)).ShouldBeLessThan(tolerance, parameter);
            Relative(state.SecondMoment(parameter), reference.SecondMoment(parameter)).ShouldBeLessThan(2 * tolerance, parameter);
        }

        Relative(state.Threshold, reference.Threshold).ShouldBeLessThan(1e-4);
        state.SinceFired.cpu().bytes.SequenceEqual(reference.SinceFired.cpu().bytes).ShouldBeTrue();
    }

    private static SaeTrainingOptions Options(string variant, int latents, int k) =>
        new()
        {
            Variant = SaeVariant.Parse(variant, k)!,
            Latents = latents,
            Steps = 100,
            BatchSize = 256,
            DeadAfter = 1_000_000,
            AuxK = 20,
        };

    /// <summary>A state in which encoder and decoder differ and biases are not zero, so that no term is hidden.</summary>
    private static SaeTrainingState Start(SaeTrainingOptions options, int width, Device device)
    {
        using var inner = NewDisposeScope();
        using var generator = new Generator(11, CPU);
        using var start = SaeTrainingState.Initialize(options.Variant, options.Latents, randn(width, generator: generator) * 0.1, seed: 2);
        start.EncoderBias.copy_(randn(options.Latents, generator: generator) * 0.2);
        if (!options.Variant.Tied)
        {
            start.Encoder.add_(randn(options.Latents, width, generator: generator) * 0.03);
        }

        return SaeTrainingState.Restore(start.Tensors.ToDictionary(t => t.Key, t => t.Value.clone()), options.Variant.Tied, 0, device);
    }

    private static Tensor Batch(int rows, int width)
    {
        using var generator = new Generator(5, CPU);
        return randn(rows, width, generator: generator);
    }

    private static double Relative(Tensor actual, Tensor expected) =>
        ((actual - expected).abs().max() / expected.abs().max().AtLeast(1e-30)).item<float>();
}
