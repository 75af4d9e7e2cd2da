using ClipSae.Sae.Steps;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Kernels;

/// <summary>
/// The Top-K step on the CPU with gradients by hand over the active latents alone. Of the dense formulation's five products of
/// [rows, d_in, d_sae] only the encoder's is left, and that may be in bfloat16 (<see cref="SparseEncoder"/>). Two passes do the rest: over
/// the rows (decode, error, gradient of the activations) and over the latents (gradient of a dictionary row, its projection, Adam and
/// renormalisation, while the row is in cache; the gradient of the whole dictionary is never in memory).
/// </summary>
public sealed unsafe class SparseStep : ISaeStep
{
    private readonly SaeTrainingOptions options;
    private readonly bool? bfloat16Products;
    private SparseEncoder? encoder;
    private ActiveLatents? active;
    private Tensor? centred;
    private Tensor? error;

    /// <param name="bfloat16Products">Type of the one large product: null measures which is faster; the results are the same.</param>
    public SparseStep(SaeTrainingOptions options, bool? bfloat16Products = null)
    {
        if (options.Variant is not SaeVariant.TopK)
        {
            throw new ArgumentException($"sparse kernels exist for Top-K only, not for {options.Variant.Name}", nameof(options));
        }

        (this.options, this.bfloat16Products) = (options, bfloat16Products);
    }

    /// <summary>Mean number of latents a row whose exact value the last step had to compute; k would be the least possible.</summary>
    public double CandidatesPerRow => active is null ? 0 : (double)encoder!.CandidatesExamined / active.Rows;

    /// <inheritdoc/>
    public Tensor Run(SaeTrainingState state, Tensor batch, double rate)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        batch = batch.contiguous();
        Prepare((int)batch.shape[0], state.Width, state.Latents);
        var (rows, width) = (active!.Rows, state.Width);
        var x = PinnedArray.Address<float>(centred!);
        var off = PinnedArray.Address<float>(error!);
        RowPass.Centre(PinnedArray.Address<float>(batch), PinnedArray.Address<float>(state.PreBias), x, rows, width);
        encoder!.Encode(centred!, state.Encoder, state.EncoderBias, active);
        var squares = RowPass.Decode(active, PinnedArray.Address<float>(state.Decoder), x, off, width);

        var scaled = (double)rows * width * BatchStatistics.Variance(x, rows, width);
        var dead = DeadGradient(state);
        active.GroupByLatent();
        var adam = AdamRow.At(state.Step + 1, rate, options.Beta1, options.Beta2, options.Epsilon);
        new DictionaryPass(state, active, x, off, (float)(2 / scaled), adam).Update(dead);
        CountSilence(PinnedArray.Address<long>(state.SinceFired));
        state.Step++;
        return AlignedTensor.Of([(float)(squares / scaled), (float)(dead?.Loss ?? 0)], 2).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        encoder?.Dispose();
        centred?.Dispose();
        error?.Dispose();
    }

    /// <summary>Makes the buffers at the first batch, and again if its size changes.</summary>
    private void Prepare(int rows, int width, int latents)
    {
        if (active?.Rows == rows)
        {
            return;
        }

        Dispose();
        var k = Math.Min(options.Variant.K, latents);
        active = new ActiveLatents(rows, k, latents);
        encoder = new SparseEncoder(width, latents, k, rows, bfloat16Products);
        centred = empty(rows, width).DetachFromDisposeScope();
        error = empty(rows, width).DetachFromDisposeScope();
    }

    private DeadLatentGradient? DeadGradient(SaeTrainingState state)
    {
        var silent = PinnedArray.Address<long>(state.SinceFired);
        var dead = new List<int>();
        for (var j = 0; j < state.Latents; j++)
        {
            if (silent[j] > options.DeadAfterSamples)
            {
                dead.Add(j);
            }
        }

        return dead.Count == 0 || options.AuxAlpha == 0
            ? null
            : DeadLatentGradient.Of(
                [.. dead], centred!, error!, state.Encoder, state.Decoder, state.EncoderBias, options.AuxKFor(state.Width), options.AuxAlpha);
    }

    private void CountSilence(long* silent)
    {
        for (var j = 0; j < active!.Latents; j++)
        {
            silent[j] = active.Starts[j + 1] > active.Starts[j] ? 0 : silent[j] + active.Rows;
        }
    }
}
