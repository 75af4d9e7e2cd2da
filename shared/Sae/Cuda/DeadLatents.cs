using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Cuda;

/// <summary>
/// AuxK and its gradient (arXiv 2406.04093, section 2.4) on the device, as dense products over the dead latents alone.
/// </summary>
/// <param name="Places">For each latent its place among the dead ones, int32 [d_sae]; −1 for a live one.</param>
/// <param name="Encoder">Gradient of W_enc's dead rows [dead, d_in].</param>
/// <param name="Decoder">Gradient of W_dec's dead rows [dead, d_in].</param>
/// <param name="Bias">Gradient of b_enc at the dead latents [dead].</param>
/// <param name="Loss">AuxK, a scalar on the device.</param>
internal sealed record DeadLatents(Tensor Places, Tensor Encoder, Tensor Decoder, Tensor Bias, Tensor Loss)
{
    private const int ChunkRows = 4096;

    /// <param name="dead">Numbers of the dead latents, int64 [dead], rising.</param>
    /// <param name="centred">x − b_pre [rows, d_in].</param>
    /// <param name="error">x̂ − x [rows, d_in], the residual with its sign turned.</param>
    /// <param name="alpha">Weight of AuxK in the loss.</param>
    public static DeadLatents Of(
        Tensor dead,
        Tensor centred,
        Tensor error,
        Tensor encoder,
        Tensor decoder,
        Tensor bias,
        int auxK,
        double alpha
    )
    {
        var count = dead.shape[0];
        var (w, d, b) = (encoder.index_select(0, dead), decoder.index_select(0, dead), bias.index_select(0, dead));
        var (encoderGradient, decoderGradient, biasGradient) = (zeros_like(w), zeros_like(d), zeros_like(b));
        var (rows, elements) = (centred.shape[0], (double)centred.NumberOfElements);
        var squares = zeros(1, device: centred.device);
        for (long start = 0; start < rows; start += ChunkRows)
        {
            using var step = NewDisposeScope();
            var part = Math.Min(ChunkRows, rows - start);
            var x = centred.narrow(0, start, part);
            var (values, indices) = addmm(b, x, w.t(), 1, 1).relu_().topk((int)Math.Min(auxK, count), 1, true, false);
            var latents = zeros(part, count, device: x.device).scatter_(1, indices, values);
            var off = addmm(error.narrow(0, start, part), latents, d, 1, 1);
            squares.AddInPlace(off.Squared().sum());
            decoderGradient.addmm_(latents.t(), off, 1, 1);
            var latentGradient = off.mm(d.t()).mul_(latents.IsAbove(0));
            encoderGradient.addmm_(latentGradient.t(), x, 1, 1);
            biasGradient.AddInPlace(latentGradient.sum([0]));
        }

        var variance = CudaStep.Variance(error);
        var scale = variance.reciprocal().Times(2 * alpha / elements);
        var places = TensorArithmetic
            .Constant([encoder.shape[0]], -1, encoder.device)
            .to(int32)
            .index_copy_(0, dead, TensorArithmetic.Range(count, ScalarType.Int32, encoder.device));
        return new DeadLatents(
            places,
            encoderGradient.mul_(scale),
            decoderGradient.mul_(scale),
            biasGradient.mul_(scale),
            squares.div_(variance).DivideInPlace(elements).squeeze()
        );
    }
}
