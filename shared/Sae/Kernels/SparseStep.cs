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
    private readonly SaeTrainingOptions _options;
    private readonly bool? _bfloat16Products;
    private SparseEncoder? _encoder;
    private ActiveLatents? _active;
    private Tensor? _centred;
    private Tensor? _error;

    /// <param name="bfloat16Products">Type of the one large product: null measures which is faster; the results are the same.</param>
    public SparseStep(SaeTrainingOptions options, bool? bfloat16Products = null)
    {
        if (options.Variant is not SaeVariant.TopK)
        {
            throw new ArgumentException($"sparse kernels exist for Top-K only, not for {options.Variant.Name}", nameof(options));
        }

        (_options, _bfloat16Products) = (options, bfloat16Products);
    }

    /// <summary>Mean number of latents a row whose exact value the last step had to compute; k would be the least possible.</summary>
    public double CandidatesPerRow => _active is null ? 0 : (double)_encoder!.CandidatesExamined / _active.Rows;

    /// <inheritdoc/>
    public Tensor Run(SaeTrainingState state, Tensor batch, double learningRate)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        batch = batch.contiguous();
        Prepare((int)batch.shape[0], state.Width, state.Latents);
        var (rows, width) = (_active!.Rows, state.Width);
        var x = PinnedArray.Address<float>(_centred!);
        var off = PinnedArray.Address<float>(_error!);
        RowPass.Centre(PinnedArray.Address<float>(batch), PinnedArray.Address<float>(state.PreBias), x, rows, width);
        _encoder!.Encode(_centred!, state.Encoder, state.EncoderBias, _active);
        var squares = RowPass.Decode(_active, PinnedArray.Address<float>(state.Decoder), x, off, width);

        var scaled = (double)rows * width * BatchStatistics.Variance(x, rows, width);
        var dead = DeadGradient(state);
        _active.GroupByLatent();
        var adam = AdamRow.At(state.Step + 1, learningRate, _options.Beta1, _options.Beta2, _options.Epsilon);
        new DictionaryPass(state, _active, x, off, (float)(2 / scaled), adam).Update(dead);
        CountSilence(PinnedArray.Address<long>(state.SinceFired));
        state.Step++;
        return AlignedTensor.Of([(float)(squares / scaled), (float)(dead?.Loss ?? 0)], 2).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _encoder?.Dispose();
        _centred?.Dispose();
        _error?.Dispose();
    }

    /// <summary>Makes the buffers at the first batch, and again if its size changes.</summary>
    private void Prepare(int rows, int width, int latents)
    {
        if (_active?.Rows == rows)
        {
            return;
        }

        Dispose();
        var k = Math.Min(_options.Variant.K, latents);
        _active = new ActiveLatents(rows, k, latents);
        _encoder = new SparseEncoder(width, latents, k, rows, _bfloat16Products);
        _centred = empty(rows, width).DetachFromDisposeScope();
        _error = empty(rows, width).DetachFromDisposeScope();
    }

    private DeadLatentGradient? DeadGradient(SaeTrainingState state)
    {
        var silent = PinnedArray.Address<long>(state.SinceFired);
        var dead = new List<int>();
        for (var j = 0; j < state.Latents; j++)
        {
            if (silent[j] > _options.DeadAfterSamples)
            {
                dead.Add(j);
            }
        }

        return dead.Count == 0 || _options.AuxAlpha == 0
            ? null
            : DeadLatentGradient.Of(
                [.. dead],
                _centred!,
                _error!,
                state.Encoder,
                state.Decoder,
                state.EncoderBias,
                _options.AuxKFor(state.Width),
                _options.AuxAlpha
            );
    }

    private void CountSilence(long* silent)
    {
        for (var j = 0; j < _active!.Latents; j++)
        {
            silent[j] = _active.Starts[j + 1] > _active.Starts[j] ? 0 : silent[j] + _active.Rows;
        }
    }
}
