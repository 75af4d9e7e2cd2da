using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Encoding;

/// <summary>
/// A trained sparse autoencoder in the space of the activations it was trained on: centring and scale of the training are folded in
/// (<see cref="SaeNormalization"/>), decoder rows keep unit length (but for those of other programs whose selection depends on it), and
/// activations are in units of the input. Every method takes activations [..., d_in] and keeps the leading dimensions; all are
/// differentiable with respect to their input.
/// </summary>
public sealed class SparseAutoencoder : IDisposable
{
    /// <summary>
    /// Above this k, dense products beat the k active latents one by one (science: "the dense path wins for k above about 512").
    /// </summary>
    internal const int MaxSparseK = 512;

    /// <param name="variant">How latents are selected.</param>
    /// <param name="encoder">W_enc as rows, [d_sae, d_in].</param>
    /// <param name="decoder">W_dec as rows, [d_sae, d_in]; for tied variants the encoder itself.</param>
    /// <param name="encoderBias">b_enc [d_sae].</param>
    /// <param name="decoderBias">b_dec [d_in], subtracted before encoding and added after decoding.</param>
    /// <param name="inputScale">The factor inputs were multiplied with in training; kept as a record, already folded in.</param>
    /// <param name="threshold">Where the variant has one: the activation above which a latent is on, [d_sae].</param>
    public SparseAutoencoder(
        SaeVariant variant,
        Tensor encoder,
        Tensor decoder,
        Tensor encoderBias,
        Tensor decoderBias,
        double inputScale,
        Tensor? threshold = null
    )
    {
        Variant = variant;
        EncoderRows = encoder.DetachFromDisposeScope();
        DecoderRows = variant.Tied ? EncoderRows : decoder.DetachFromDisposeScope();
        EncoderBias = encoderBias.DetachFromDisposeScope();
        DecoderBias = decoderBias.DetachFromDisposeScope();
        InputScale = inputScale;
        Threshold = threshold?.DetachFromDisposeScope();
    }

    private CudaEncoder? _onGpu;

    public SaeVariant Variant { get; }

    /// <summary>W_enc, one row a latent [d_sae, d_in].</summary>
    public Tensor EncoderRows { get; private set; }

    /// <summary>W_dec, one unit row a latent [d_sae, d_in].</summary>
    public Tensor DecoderRows { get; private set; }

    /// <summary>b_enc [d_sae].</summary>
    public Tensor EncoderBias { get; private set; }

    /// <summary>b_dec [d_in].</summary>
    public Tensor DecoderBias { get; private set; }

    /// <summary>Per-latent threshold [d_sae] where the variant has one; null for the others.</summary>
    public Tensor? Threshold { get; private set; }

    /// <summary>
    /// The factor with which training brought the mean-square norm of its centred inputs to √d; folded in, kept as a record.
    /// </summary>
    public double InputScale { get; }

    public int InputWidth => (int)EncoderRows.shape[1];

    public int Latents => (int)EncoderRows.shape[0];

    /// <summary><c>W_enc(x − b_dec) + b_enc</c> of all latents, [..., d_sae].</summary>
    public Tensor PreActivations(Tensor x)
    {
        CheckWidth(x);
        using var scope = NewDisposeScope();
        return LinearLayer.Apply(x - DecoderBias, EncoderRows, EncoderBias).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// <c>ReLU(W_enc(x − b_dec) + b_enc)</c> of the given latents alone, [..., features]: the activation before the k largest are selected,
    /// so that a latent just below the selection still has a value and a gradient. Costs only these columns of the encoder.
    /// </summary>
    public Tensor Features(Tensor x, IReadOnlyList<int> features)
    {
        CheckWidth(x);
        using var scope = NewDisposeScope();
        var index = Index(features);
        var rows = EncoderRows.index_select(0, index);
        return LinearLayer.Apply(x - DecoderBias, rows, EncoderBias.index_select(0, index)).relu().MoveToOuterDisposeScope();
    }

    /// <summary>Latents after selection, dense [..., d_sae]; at most k of a row are not zero.</summary>
    public Tensor Encode(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Select(PreActivations(x)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Mean over an image's tokens of <see cref="Encode"/>, [images, d_sae]; the latents of a few images at a time are in memory.
    /// </summary>
    /// <param name="x">Activations [images, tokens, d_in].</param>
    public Tensor MeanLatents(Tensor x)
    {
        CheckWidth(x);
        return OnGpu(x) is { } encoder ? encoder.MeanLatents(x) : InSlices(x, slice => Encode(slice).mean(new long[] { 1 }));
    }

    /// <summary><c>zW_dec + b_dec</c>, [..., d_in], of dense latents [..., d_sae].</summary>
    public Tensor Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return latents.matmul(DecoderRows).Plus(DecoderBias).MoveToOuterDisposeScope();
    }

    /// <summary><c>Decode(Encode(x))</c>, [..., d_in].</summary>
    public Tensor Reconstruct(Tensor x) => InSlices(x, slice => Decode(Encode(slice)));

    /// <summary>
    /// x with the given latents switched off in its reconstruction and the error of the reconstruction kept:
    /// <c>x − Σ_f z_f·W_dec[f]</c>, z after selection. With no features it is x itself. [..., d_in].
    /// </summary>
    public Tensor Ablate(Tensor x, IReadOnlyList<int> features)
    {
        CheckWidth(x);
        using var scope = NewDisposeScope();
        var index = Index(features);
        if (OnGpu(x) is { } encoder)
        {
            var chosen = zeros(Latents, uint8, x.device).FillInPlace(0, index, 1);
            return encoder.Ablate(x.reshape(-1, InputWidth), chosen).view(x.shape).MoveToOuterDisposeScope();
        }

        var rows = DecoderRows.index_select(0, index);
        return InSlices(x, slice => slice - Encode(slice).index_select(-1, index).matmul(rows)).MoveToOuterDisposeScope();
    }

    /// <summary>Moves the weights to another device, in place.</summary>
    public SparseAutoencoder To(Device device)
    {
        _onGpu?.Dispose();
        _onGpu = null;
        var (encoder, decoder) = (EncoderRows, DecoderRows);
        EncoderRows = Moved(EncoderRows, device);
        DecoderRows = ReferenceEquals(encoder, decoder) ? EncoderRows : Moved(decoder, device);
        EncoderBias = Moved(EncoderBias, device);
        DecoderBias = Moved(DecoderBias, device);
        Threshold = Threshold is null ? null : Moved(Threshold, device);
        return this;
    }

    public void Dispose()
    {
        _onGpu?.Dispose();
        EncoderRows.Dispose();
        DecoderRows.Dispose();
        EncoderBias.Dispose();
        DecoderBias.Dispose();
        Threshold?.Dispose();
    }

    /// <summary>The kernels, where they do what is asked: on a GPU, k latents a row, no gradient wanted.</summary>
    private CudaEncoder? OnGpu(Tensor x) =>
        EncoderRows.device.type == TorchSharp.DeviceType.CUDA
        && Threshold is null
        && Variant.K <= MaxSparseK
        && !(is_grad_enabled() && x.requires_grad)
            ? _onGpu ??= new CudaEncoder(this)
            : null;

    private static Tensor Moved(Tensor tensor, Device device)
    {
        var moved = tensor.to(device).DetachFromDisposeScope();
        if (!ReferenceEquals(moved, tensor))
        {
            tensor.Dispose();
        }

        return moved;
    }

    /// <summary>Takes the pre-activations for its own.</summary>
    private Tensor Select(Tensor preActivations)
    {
        var positive = preActivations.relu_();
        if (Threshold is not null)
        {
            return positive * (positive > Threshold);
        }

        var (values, indices) = positive.topk(Math.Min(Variant.K, Latents), -1, true, false);
        return zeros_like(positive).scatter_(-1, indices, values);
    }

    /// <summary>
    /// The map of every entry of the first axis, a few entries at a time: dense latents of a batch of images would take gigabytes, 33 MiB
    /// an image of 257 tokens and 32,768 latents.
    /// </summary>
    /// <param name="map">[n, …, d_in] to [n, …], entry by entry.</param>
    private Tensor InSlices(Tensor x, Func<Tensor, Tensor> map)
    {
        using var scope = NewDisposeScope();
        var rows = x.dim() < 2 ? 1 : x.shape[1..^1].Aggregate(1L, (product, length) => product * length);
        var fit = Math.Max(1, (NativeHeap.MaxKeptBlock - 1) / (rows * Latents * sizeof(float)));
        if (x.dim() < 2 || x.shape[0] <= fit)
        {
            return map(x).MoveToOuterDisposeScope();
        }

        var parts = new List<Tensor>();
        for (long from = 0; from < x.shape[0]; from += fit)
        {
            using var step = NewDisposeScope();
            parts.Add(map(x.narrow(0, from, Math.Min(fit, x.shape[0] - from))).MoveToOuterDisposeScope());
        }

        return cat(parts).MoveToOuterDisposeScope();
    }

    private Tensor Index(IReadOnlyList<int> features)
    {
        foreach (var feature in features)
        {
            UserErrorException.ThrowIf(
                feature < 0 || feature >= Latents,
                $"feature {feature} does not exist: the autoencoder has {Latents} latents, numbered from 0; choose one of these"
            );
        }

        return tensor(features.Select(f => (long)f).ToArray(), device: EncoderRows.device);
    }

    private void CheckWidth(Tensor x) =>
        UserErrorException.ThrowIf(
            x.shape[^1] != InputWidth,
            $"activations are {x.shape[^1]} wide but the autoencoder takes {InputWidth}; "
                + $"use the one trained at this hook point of this model"
        );
}
