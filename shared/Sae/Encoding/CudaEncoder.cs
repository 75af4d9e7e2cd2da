using ClipSae.Sae.Cuda;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Encoding;

/// <summary>
/// A trained Top-K autoencoder's latents on a GPU, by the kernels of its training: one bfloat16 product proposes, exact values decide, and
/// of each row only its k latents are ever in memory. It carries no gradient.
/// </summary>
internal sealed class CudaEncoder : IDisposable
{
    // What the product of a part of the rows may take.
    private const long MaxProduct = 512L << 20;

    private readonly SaeKernels _kernels;
    private readonly SparseAutoencoder _sae;
    private readonly int _k;
    private readonly Tensor _narrowEncoder;
    private readonly Tensor _narrowBias;

    /// <param name="sae">On a CUDA device, without a threshold; stays the caller's.</param>
    public CudaEncoder(SparseAutoencoder sae)
    {
        _sae = sae;
        _k = Math.Min(sae.Variant.K, sae.Latents);
        _kernels = new SaeKernels(sae.EncoderRows.device, sae.InputWidth, sae.Latents, _k, tied: false, [sae.Latents]);
        _narrowEncoder = sae.EncoderRows.to(bfloat16).DetachFromDisposeScope();
        _narrowBias = sae.EncoderBias.to(bfloat16).DetachFromDisposeScope();
    }

    /// <summary>x without what the given latents write in its reconstruction.</summary>
    /// <param name="x">[rows, d_in], float32.</param>
    /// <param name="chosen">Which latents, uint8 [d_sae].</param>
    public Tensor Ablate(Tensor x, Tensor chosen)
    {
        using var scope = NewDisposeScope();
        x = x.contiguous();
        var result = empty_like(x);
        ForParts(x, (part, first, index, value) =>
            _kernels.AblateRows(index, value, _sae.DecoderRows, chosen, part, result.narrow(0, first, part.shape[0]))
        );
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Mean latents of each picture, [pictures, d_sae].</summary>
    /// <param name="x">[pictures, rows each, d_in], float32.</param>
    public Tensor MeanLatents(Tensor x)
    {
        using var scope = NewDisposeScope();
        var each = (int)x.shape[1];
        var mean = zeros(x.shape[0], _sae.Latents, device: x.device);
        ForParts(x.reshape(-1, x.shape[2]), each, (part, first, index, value) =>
            _kernels.MeanLatents(index, value, mean.narrow(0, first / each, part.shape[0] / each), each)
        );
        return mean.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _narrowEncoder.Dispose();
        _narrowBias.Dispose();
        _kernels.Dispose();
    }

    private void ForParts(Tensor x, Action<Tensor, long, Tensor, Tensor> use) => ForParts(x, 1, use);

    /// <summary>Selects part by part, each of whole groups of rows.</summary>
    private void ForParts(Tensor x, long group, Action<Tensor, long, Tensor, Tensor> use)
    {
        using var guard = no_grad();
        var length = Math.Max(1, MaxProduct / (2L * _sae.Latents) / group) * group;
        for (long first = 0; first < x.shape[0]; first += length)
        {
            using var step = NewDisposeScope();
            var part = x.narrow(0, first, Math.Min(length, x.shape[0] - first));
            var (centred, narrow) = (empty_like(part), empty_like(part, dtype: bfloat16));
            _kernels.Centre(part, _sae.DecoderBias, centred, narrow);
            var approximate = LinearLayer.Apply(narrow, _narrowEncoder, _narrowBias);
            var index = empty([part.shape[0], _k], int32, x.device);
            var value = empty([part.shape[0], _k], device: x.device);
            _kernels.SelectRows(approximate, centred, _sae.EncoderRows, _sae.EncoderBias, index, value);
            use(part, first, index, value);
        }
    }
}
