using ClipSae.Sae.Kernels;
using ClipSae.Sae.Steps;
using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

/// <summary>The kernels against autograd: same start, same batch, all parameters and moments compared.</summary>
public sealed class SparseStepTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(false, 24, 64, 3, 256)]
    [InlineData(true, 24, 64, 3, 256)]
    [InlineData(false, 100, 333, 17, 130)]
    [InlineData(true, 100, 333, 17, 130)]
    [InlineData(false, 64, 1024, 32, 512)]
    [InlineData(false, 16, 40, 40, 5)]
    [InlineData(true, 3, 7, 2, 1)]
    public void A_sparse_step_equals_autograd(bool tied, int width, int latents, int k, int rows)
    {
        var options = Options(tied, latents, k);
        var batch = Batch(rows, width);
        using var reference = Start(options, width);
        using var state = Start(options, width);
        using var dense = new DenseStep(options);
        using var sparse = new SparseStep(options);

        var expected = dense.Run(reference, batch, 1e-3);
        var losses = sparse.Run(state, batch, 1e-3);

        Relative(losses, expected).ShouldBeLessThan(1e-5);
        ShouldAgree(state, reference);
    }

    [Theory]
    [InlineData(false, 0.1)]
    [InlineData(true, 0.1)]
    [InlineData(false, 0.6)]
    public void With_dead_latents_too(bool tied, double deadShare)
    {
        var options = Options(tied, 333, 17) with { DeadAfter = 10 };
        var batch = Batch(1100, 100);
        using var reference = Start(options, 100);
        using var state = Start(options, 100);
        foreach (var each in new[] { reference, state })
        {
            each.SinceFired.narrow(0, 5, (long)(333 * deadShare)).fill_(11);
        }

        using var dense = new DenseStep(options);
        using var sparse = new SparseStep(options);
        var expected = dense.Run(reference, batch, 1e-3);
        var losses = sparse.Run(state, batch, 1e-3);

        expected[1].item<float>().ShouldBeGreaterThan(0);
        Relative(losses, expected).ShouldBeLessThan(1e-5);
        ShouldAgree(state, reference);
    }

    [Theory]
    [InlineData(64, 1024, 32)]
    [InlineData(100, 333, 17)]
    [InlineData(40, 50, 50)]
    public void Bfloat16_candidates_change_nothing(int width, int latents, int k)
    {
        var options = Options(tied: false, latents, k);
        using var exact = Start(options, width);
        using var narrow = Start(options, width);
        using var exactStep = new SparseStep(options, bfloat16Products: false);
        using var narrowStep = new SparseStep(options, bfloat16Products: true);
        for (var i = 0; i < 5; i++)
        {
            exactStep.Run(exact, Batch(512, width, seed: i), 1e-2);
            narrowStep.Run(narrow, Batch(512, width, seed: i), 1e-2);
        }

        foreach (var (name, tensor) in exact.Tensors)
        {
            narrow.Tensors[name].bytes.SequenceEqual(tensor.bytes).ShouldBeTrue(name);
        }
    }

    private static void ShouldAgree(SaeTrainingState state, SaeTrainingState reference)
    {
        // The first moment is (1 − β₁)·gradient and the second its square: they compare gradients without Adam's division by tiny numbers.
        foreach (var parameter in reference.Parameters)
        {
            Relative(state.FirstMoment(parameter), reference.FirstMoment(parameter)).ShouldBeLessThan(1e-5, parameter);
            Relative(state.SecondMoment(parameter), reference.SecondMoment(parameter)).ShouldBeLessThan(2e-5, parameter);
            Relative(state.Tensors[parameter], reference.Tensors[parameter]).ShouldBeLessThan(1e-4, parameter);
        }

        state.SinceFired.bytes.SequenceEqual(reference.SinceFired.bytes).ShouldBeTrue();
    }

    private static SaeTrainingOptions Options(bool tied, int latents, int k) =>
        new()
        {
            Variant = new SaeVariant.TopK(k, tied),
            Latents = latents,
            Steps = 100,
            BatchSize = 256,
            DeadAfter = 1_000_000,
            AuxK = 20,
        };

    /// <summary>A state in which encoder and decoder differ and biases are not zero, so that no term is hidden.</summary>
    private static SaeTrainingState Start(SaeTrainingOptions options, int width)
    {
        using var inner = NewDisposeScope();
        using var generator = new Generator(11, CPU);
        var state = SaeTrainingState.Initialize(options.Variant, options.Latents, randn(width, generator: generator) * 0.1, seed: 2);
        state.EncoderBias.copy_(randn(options.Latents, generator: generator) * 0.2);
        if (!options.Variant.Tied)
        {
            state.Encoder.add_(randn(options.Latents, width, generator: generator) * 0.03);
        }

        return state;
    }

    private static Tensor Batch(int rows, int width, long seed = 5)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return randn(rows, width, generator: generator);
    }

    /// <summary>Largest difference over largest value: float32 rounding is about 1e-7 of the terms summed.</summary>
    private static double Relative(Tensor actual, Tensor expected) =>
        (actual - expected).abs().max().item<float>() / Math.Max(1e-30, expected.abs().max().item<float>());
}
