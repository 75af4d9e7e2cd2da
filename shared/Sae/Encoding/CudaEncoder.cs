using ClipSae.Sae.Cuda;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Encoding;

/// <summary>
/// A trained Top-K autoencoder's latents on a GPU, by the kernels of its training: one bfloat16 product proposes, exact values decide, and of each row only
/// its k latents are ever in memory. It carries no gradient.
/// </summary>
internal sealed class CudaEncoder : IDisposable
{
    // What the product of a part of the rows may take.
    private const long MaxProduct = 512L << 20;

    private readonly SaeKernels kernels;
    private readonly SparseAutoencoder sae;
    private readonly int k;
    private readonly Tensor narrowEncoder;
    private readonly Tensor narrowBias;

    /// <param name="sae">On a CUDA device, without a threshold; stays the caller's.</param>
    public CudaEncoder(SparseAutoencoder sae)
    {
        this.sae = sae;
        k = Math.Min(sae.Variant.K, sae.Latents);
        kernels = new SaeKernels(sae.EncoderRows.device, sae.InputWidth, sae.Latents, k, tied: false, [sae.Latents]);
        narrowEncoder = sae.EncoderRows.to(bfloat16).DetachFromDisposeScope();
        narrowBias = sae.EncoderBias.to(bfloat16).DetachFromDisposeScope();
    }

    /// <summary>x without what the given latents write in its reconstruction.</summary>
    /// <param name="x">[rows, d_in], float32.</param>
    /// <param name="chosen">Which latents, uint8 [d_sae].</param>
    public Tensor Ablate(Tensor x, Tensor chosen)
    {
        using var scope = NewDisposeScope();
        x = x.contiguous();
        var result = empty_like(x);
        ForParts(x, (part, first, index, value) => kernels.AblateRows(index, value, sae.DecoderRows, chosen, part, result.narrow(0, first, part.shape[0])));
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Mean latents of each picture, [pictures, d_sae].</summary>
    /// <param name="x">[pictures, rows each, d_in], float32.</param>
    public Tensor MeanLatents(Tensor x)
    {
        using var scope = NewDisposeScope();
        var each = (int)x.shape[1];
        var mean = zeros(x.shape[0], sae.Latents, device: x.device);
        ForParts(x.reshape(-1, x.shape[2]), each, (part, first, index, value) =>
            kernels.MeanLatents(index, value, mean.narrow(0, first / each, part.shape[0] / each), each));
        return mean.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        narrowEncoder.Dispose();
        narrowBias.Dispose();
        kernels.Dispose();
    }

    private void ForParts(Tensor x, Action<Tensor, long, Tensor, Tensor> use) => ForParts(x, 1, use);

    /// <summary>Selects part by part, each of whole groups of rows.</summary>
    private void ForParts(Tensor x, long group, Action<Tensor, long, Tensor, Tensor> use)
    {
        using var guard = no_grad();
        var length = Math.Max(1, MaxProduct / (2L * sae.Latents) / group) * group;
        for (long first = 0; first < x.shape[0]; first += length)
        {
            using var step = NewDisposeScope();
            var part = x.narrow(0, first, Math.Min(length, x.shape[0] - first));
            var (centred, narrow) = (empty_like(part), empty_like(part, dtype: bfloat16));
            kernels.Centre(part, sae.DecoderBias, centred, narrow);
            var approximate = LinearLayer.Apply(narrow, narrowEncoder, narrowBias);
            var index = empty([part.shape[0], k], int32, x.device);
            var value = empty([part.shape[0], k], device: x.device);
            kernels.SelectRows(approximate, centred, sae.EncoderRows, sae.EncoderBias, index, value);
            use(part, first, index, value);
        }
    }
}
