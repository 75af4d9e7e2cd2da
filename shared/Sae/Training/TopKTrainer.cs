using ClipSae.Sae.Cuda;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Kernels;
using ClipSae.Sae.Steps;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Training;

/// <summary>
/// Trains an autoencoder on rows of activations. What comes next is a function of the state and the options alone, so a trainer made from a
/// saved state continues exactly as the saved one would have.
/// </summary>
public sealed class TopKTrainer : IDisposable
{
    private readonly SaeTrainingOptions _options;
    private readonly ISaeStep _step;
    private readonly BatchFeed _feed;
    private Tensor _losses = zeros(2);

    private TopKTrainer(
        IActivationRows data,
        SaeTrainingOptions options,
        SaeNormalization normalization,
        SaeTrainingState state,
        ISaeStep step
    )
    {
        (_options, _step) = (options, step);
        (Normalization, State) = (normalization, state);
        _feed = new BatchFeed(
            data,
            normalization,
            new EpochOrder(data.Rows, options.Seed),
            (int)Math.Min(options.BatchSize, data.Rows),
            state.Device
        );
    }

    /// <summary>Centring and scale of the inputs, measured over all rows.</summary>
    public SaeNormalization Normalization { get; }

    public SaeTrainingState State { get; }

    /// <summary>Whether all steps are done.</summary>
    public bool Done => State.Step >= _options.Steps;

    /// <summary>A trainer at its start.</summary>
    /// <param name="device">Where it computes; the CPU when null.</param>
    public static TopKTrainer Start(IActivationRows data, SaeTrainingOptions options, Device? device = null)
    {
        using var scope = NewDisposeScope();
        var normalization = SaeNormalization.Measure(data);
        var order = new EpochOrder(data.Rows, options.Seed);
        var rows = new long[Math.Min(options.MedianSample, data.Rows)];
        for (var i = 0; i < rows.Length; i++)
        {
            // Epoch −1 is the sample's own: its order is no epoch's that is trained on.
            rows[i] = order.RowAt(-1, i);
        }

        // On the device, where a wide sample takes no time; the few iterations' rounding is all that differs.
        var preBias = GeometricMedian.Of(normalization.Apply(data.Read(rows)).to(device ?? CPU)).cpu();
        return Resume(
            data,
            options,
            normalization,
            SaeTrainingState.Initialize(options.Variant, options.Latents, preBias, options.Seed, device)
        );
    }

    /// <summary>A trainer that continues from a saved state, on its device, on the same data with the same options.</summary>
    public static TopKTrainer Resume(
        IActivationRows data,
        SaeTrainingOptions options,
        SaeNormalization normalization,
        SaeTrainingState state
    ) => new(data, options, normalization, state, StepFor(options, state.Width, state.Device));

    /// <summary>Kernels over the active latents where they exist and win, else the dense step.</summary>
    public static ISaeStep StepFor(SaeTrainingOptions options, int width, Device device) =>
        (device.type, options.Variant) switch
        {
            (_, { K: > SparseAutoencoder.MaxSparseK }) => new DenseStep(options),
            (TorchSharp.DeviceType.CUDA, _) => new CudaStep(options, width, device),
            (_, SaeVariant.TopK) => new SparseStep(options),
            _ => new DenseStep(options),
        };

    /// <summary>Takes one step on the next batch.</summary>
    public void Advance()
    {
        using var scope = NewDisposeScope();
        var batch = _feed.Of(State.Step);
        var before = _losses;
        _losses = _step.Run(State, batch, _options.LearningRateAt(State.Step)).DetachFromDisposeScope();
        before.Dispose();
    }

    /// <summary>Losses of the last step. Reads them from the device, so not for every step.</summary>
    public SaeLosses Losses()
    {
        var values = _losses.to(CPU).data<float>().ToArray();
        return new SaeLosses(values[0] + _options.AuxAlpha * values[1], values[0], values[1]);
    }

    /// <summary>
    /// The autoencoder as it is now, in the space of the inputs. With x_n = (x − μ)s: b_dec = μ + b_pre/s, b_enc/s, rows as they are;
    /// activations are divided by s, which leaves the selection as it was.
    /// </summary>
    public SparseAutoencoder Export()
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var encoder = State.Encoder.cpu().clone();
        var decoder = State.Tied ? encoder : State.Decoder.cpu().clone();
        var decoderBias = State.PreBias.to(CPU).Over(Normalization.Scale).Plus(Normalization.Mean);
        var threshold =
            _options.Variant is SaeVariant.BatchTopK
                ? State.Threshold.to(CPU).Over(Normalization.Scale).expand(State.Latents).contiguous()
                : null;
        return new SparseAutoencoder(
            _options.Variant,
            encoder,
            decoder,
            State.EncoderBias.to(CPU).Over(Normalization.Scale),
            decoderBias,
            Normalization.Scale,
            threshold
        );
    }

    public void Dispose()
    {
        _losses.Dispose();
        _feed.Dispose();
        _step.Dispose();
        State.Dispose();
        Normalization.Dispose();
    }
}
