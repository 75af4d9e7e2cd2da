using ClipSae.Sae.Cuda;
using static TorchSharp.torch;

namespace ClipSae.Sae.Training;

/// <summary>
/// Trains an autoencoder on rows of activations. What comes next is a function of the state and the options alone, so a trainer made from a
/// saved state goes on exactly as the saved one would have.
/// </summary>
public sealed class TopKTrainer : IDisposable
{
    // Above this the dense products win (science: "the dense path wins for k above about 512").
    private const int LargestSparseK = 512;

    private readonly SaeTrainingOptions options;
    private readonly IActivationRows data;
    private readonly ISaeStep step;
    private readonly EpochOrder order;
    private readonly int batchSize;
    private readonly long batchesPerEpoch;
    private Tensor losses = zeros(2);

    private TopKTrainer(IActivationRows data, SaeTrainingOptions options, SaeNormalization normalization, SaeTrainingState state, ISaeStep step)
    {
        (this.data, this.options, this.step) = (data, options, step);
        (Normalization, State) = (normalization, state);
        batchSize = (int)Math.Min(options.BatchSize, data.Rows);
        batchesPerEpoch = data.Rows / batchSize;
        order = new EpochOrder(data.Rows, options.Seed);
    }

    /// <summary>Centring and scale of the inputs, measured over all rows.</summary>
    public SaeNormalization Normalization { get; }

    public SaeTrainingState State { get; }

    /// <summary>Whether all steps are done.</summary>
    public bool Done => State.Step >= options.Steps;

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

        var preBias = GeometricMedian.Of(normalization.Apply(data.Read(rows)));
        return Resume(data, options, normalization, SaeTrainingState.Initialize(options.Variant, options.Latents, preBias, options.Seed, device));
    }

    /// <summary>A trainer that goes on from a saved state, on its device, on the same data with the same options.</summary>
    public static TopKTrainer Resume(IActivationRows data, SaeTrainingOptions options, SaeNormalization normalization, SaeTrainingState state) =>
        new(data, options, normalization, state, StepFor(options, state.Width, state.Device));

    /// <summary>Kernels over the active latents where they exist and win, else the dense step.</summary>
    private static ISaeStep StepFor(SaeTrainingOptions options, int width, Device device) => (device.type, options.Variant) switch
    {
        (_, { K: > LargestSparseK }) => new DenseStep(options),
        (TorchSharp.DeviceType.CUDA, _) => new CudaStep(options, width, device),
        (_, SaeVariant.TopK) => new SparseStep(options),
        _ => new DenseStep(options),
    };

    /// <summary>Takes one step on the next batch.</summary>
    public void Advance()
    {
        using var scope = NewDisposeScope();
        var batch = Normalization.Apply(NextBatch()).to(State.Device);
        var before = losses;
        losses = step.Run(State, batch, options.RateAt(State.Step)).DetachFromDisposeScope();
        before.Dispose();
    }

    /// <summary>Losses of the last step. Reads them from the device, so not for every step.</summary>
    public SaeLosses Losses()
    {
        var values = losses.to(CPU).data<float>().ToArray();
        return new SaeLosses(values[0] + options.AuxAlpha * values[1], values[0], values[1]);
    }

    /// <summary>The autoencoder as it is now, in the space of the inputs.</summary>
    public SparseAutoencoder Export() => State.Export(options.Variant, Normalization);

    public void Dispose()
    {
        losses.Dispose();
        step.Dispose();
        State.Dispose();
        Normalization.Dispose();
    }

    /// <summary>The next rows in the epoch's order; a last batch that would be smaller is left out, its rows come up in other epochs.</summary>
    private Tensor NextBatch()
    {
        var (epoch, batch) = Math.DivRem(State.Step, batchesPerEpoch);
        var rows = new long[batchSize];
        for (var i = 0; i < batchSize; i++)
        {
            rows[i] = order.RowAt(epoch, batch * batchSize + i);
        }

        return data.Read(rows);
    }
}
