using ClipSae.Sae.Kernels;
using ClipSae.Sae.Steps;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Cuda;

/// <summary>
/// The step on an NVIDIA GPU, every variant, with gradients by hand over the active latents alone: one dense product, the encoder's, in
/// bfloat16, which only proposes candidates; their activations are computed exactly in float32, and everything after follows from those.
/// The kernels (<see cref="SaeKernels"/>) decode row by row and update latent by latent, Adam and unit length included; the dense gradient
/// is never in memory, and nothing is read back from the device but, at intervals, how long the quietest latent has been silent.
/// </summary>
public sealed class CudaStep : ISaeStep
{
    // What the product of a part of the batch may take; a batch of 16,384 with 32,768 latents would take a gigabyte.
    private const long MaxProduct = 512L << 20;

    // Beyond k·B, the places of a batch that are looked at exactly: as for a row, the product's order is wrong only between near
    // neighbours.
    private const double ExtraPlaces = 0.125;

    private readonly SaeTrainingOptions _options;
    private readonly int _k;
    private readonly int _groups;
    private readonly SaeKernels _kernels;
    private Tensor? _narrowEncoder;
    private long _nextLook;

    /// <param name="device">A CUDA device.</param>
    /// <param name="width">d_in.</param>
    public CudaStep(SaeTrainingOptions options, int width, Device device)
    {
        _options = options;
        _k = Math.Min(options.Variant.K, options.Latents);
        int[] ends = options.Variant is SaeVariant.Matryoshka matryoshka
            ? [.. matryoshka.Prefixes.Select(share => SaeVariant.Matryoshka.Length(share, options.Latents))]
            : [options.Latents];
        _groups = ends.Length;
        _kernels = new SaeKernels(device, width, options.Latents, _k, options.Variant.Tied, ends);
    }

    /// <inheritdoc/>
    public Tensor Run(SaeTrainingState state, Tensor batch, double learningRate)
    {
        using var guard = no_grad();
        using var tf32 = new Tf32Products();
        using var scope = NewDisposeScope();
        batch = batch.contiguous();
        var (rows, device) = (batch.shape[0], batch.device);
        _narrowEncoder ??= state.Encoder.to(bfloat16).DetachFromDisposeScope();
        var centred = empty_like(batch);
        var narrow = empty_like(batch, dtype: bfloat16);
        _kernels.Centre(batch, state.PreBias, centred, narrow);
        var active =
            _options.Variant is SaeVariant.BatchTopK ? SelectInBatch(state, centred, narrow) : SelectInRows(state, centred, narrow);

        var variance = Variance(centred);
        var coefficient = variance.reciprocal().Times(2.0 / batch.NumberOfElements / _groups);
        var error = empty([_groups, rows, batch.shape[1]], device: device);
        var squares = empty([rows], device: device);
        var gradient = empty_like(active.Value);
        _kernels.DecodeRows(active, state.Decoder, centred, coefficient, error, squares, gradient);
        var dead = Dead(state, centred, error);

        var (sorted, entries) = active.Index.sort(0, false, true);
        var latentStarts = empty([_options.Latents + 1], int32, device);
        _kernels.RunStarts(sorted, _options.Latents, latentStarts);
        var biasGradient = empty([_options.Latents], device: device);
        _kernels.BiasGradient(entries, latentStarts, gradient, dead, biasGradient);
        // b_pre, which the error sees directly and every active latent through its encoder row.
        var preBiasGradient = error[0].sum([0]).mul_(coefficient).sub_(state.Encoder.t().mv(biasGradient));

        var adam = AdamRow.At(state.Step + 1, learningRate, _options.Beta1, _options.Beta2, _options.Epsilon);
        _kernels.UpdateDictionary(entries, latentStarts, active, gradient, centred, error, coefficient, dead, state, _narrowEncoder, adam);
        _kernels.UpdateVector(state, "encoder_bias", biasGradient, adam);
        _kernels.UpdateVector(state, "pre_bias", preBiasGradient, adam);
        TrackThreshold(state, active);
        state.Step++;
        var loss = squares.sum().mul_(coefficient).MultiplyInPlace(_groups / 2.0);
        return stack([loss, dead?.Loss ?? zeros_like(loss)]).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _narrowEncoder?.Dispose();
        _kernels.Dispose();
    }

    /// <summary>Mean over the features of their variance in the batch.</summary>
    internal static Tensor Variance(Tensor x) => x.var(0, unbiased: false).mean().AtLeast(1e-12);

    /// <summary>Each row's k largest positive pre-activations.</summary>
    private ActiveEntries SelectInRows(SaeTrainingState state, Tensor centred, Tensor narrow)
    {
        var (rows, device) = (centred.shape[0], centred.device);
        var index = empty([rows, _k], int32, device);
        var value = empty([rows, _k], device: device);
        var bias = state.EncoderBias.to(bfloat16);
        var part = Math.Max(1, MaxProduct / (2L * _options.Latents));
        for (long start = 0; start < rows; start += part)
        {
            using var step = NewDisposeScope();
            var count = Math.Min(part, rows - start);
            var approximate = LinearLayer.Apply(narrow.narrow(0, start, count), _narrowEncoder!, bias);
            _kernels.SelectRows(
                approximate,
                centred.narrow(0, start, count),
                state.Encoder,
                state.EncoderBias,
                index.narrow(0, start, count),
                value.narrow(0, start, count)
            );
        }

        return new ActiveEntries(index.view(-1), value.view(-1), RowStarts: null, RowOf: null);
    }

    /// <summary>The batch's k·B largest positive pre-activations.</summary>
    private ActiveEntries SelectInBatch(SaeTrainingState state, Tensor centred, Tensor narrow)
    {
        var (rows, device) = (centred.shape[0], centred.device);
        var approximate = LinearLayer.Apply(narrow, _narrowEncoder!, state.EncoderBias.to(bfloat16)).view(-1);
        var kept = Math.Min(_k * rows, approximate.NumberOfElements);
        var looked = (int)Math.Min(kept + Math.Max(64, (long)(ExtraPlaces * kept)), approximate.NumberOfElements);
        var (_, places) = approximate.topk(looked, 0, true, false);
        (places, _) = places.sort(0, false, true);
        var exact = empty([looked], device: device);
        _kernels.ExactValues(places, centred, state, exact);
        var (_, chosen) = exact.topk((int)kept, 0, true, false);
        (chosen, _) = chosen.sort(0, false, true);
        (places, exact) = (places.index_select(0, chosen), exact.index_select(0, chosen).relu_());
        var latents = tensor((long)_options.Latents, device: device);
        var row = places.div(latents, RoundingMode.floor).to(int32);
        // What is not positive is not active.
        var index = where(exact.IsAbove(0), places.remainder(latents), latents).to(int32);
        var starts = empty([rows + 1], int32, device);
        _kernels.RunStarts(row, (int)rows, starts);
        return new ActiveEntries(index, exact, starts, row);
    }

    /// <summary>
    /// The dead latents' part, or null where none is dead. The device is asked only when a latent may have died since the last time: the
    /// one that was silent for longest then has to have been silent ever since.
    /// </summary>
    private DeadLatents? Dead(SaeTrainingState state, Tensor centred, Tensor error)
    {
        if (_options.AuxAlpha == 0 || state.Step < _nextLook)
        {
            return null;
        }

        var longest = state.SinceFired.max().item<long>();
        _nextLook = state.Step + 1 + Math.Max(0, (_options.DeadAfterSamples - longest) / centred.shape[0]);
        if (longest <= _options.DeadAfterSamples)
        {
            return null;
        }

        var dead = state.SinceFired.IsAbove(_options.DeadAfterSamples).nonzero().view(-1);
        return DeadLatents.Of(
            dead,
            centred,
            error[_groups - 1],
            state.Encoder,
            state.Decoder,
            state.EncoderBias,
            _options.AuxKFor(state.Width),
            _options.AuxAlpha
        );
    }

    /// <summary>As <see cref="DenseStep"/> does.</summary>
    private void TrackThreshold(SaeTrainingState state, ActiveEntries active)
    {
        if (_options.Variant is SaeVariant.BatchTopK)
        {
            var smallest = active.Value.FilledWhere(active.Value.IsAbove(0).logical_not(), double.PositiveInfinity).min();
            state.Threshold.lerp_(smallest.expand(1), tensor(state.Step == 0 ? 1f : 0.01f, device: smallest.device));
        }
    }
}
