using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Kernels;

/// <summary>
/// AuxK and its gradient (arXiv 2406.04093, section 2.4): each row's k_aux largest dead latents reconstruct the residual. Dead latents are
/// few in a healthy training and active ones among them many, so these are dense products over the dead rows alone.
/// </summary>
/// <param name="Dead">The dead latents, rising.</param>
/// <param name="Encoder">Gradient of W_enc's dead rows [dead, d_in], not yet scaled.</param>
/// <param name="Decoder">Gradient of W_dec's dead rows, likewise.</param>
/// <param name="Bias">Gradient of b_enc at the dead latents, likewise.</param>
/// <param name="Scale">What the three are to be multiplied with.</param>
/// <param name="Loss">AuxK.</param>
internal sealed record DeadLatentGradient(int[] Dead, Tensor Encoder, Tensor Decoder, Tensor Bias, float Scale, double Loss)
{
    private const int ChunkRows = 1024;

    /// <param name="centred">x − b_pre [rows, d_in].</param>
    /// <param name="error">x̂ − x [rows, d_in], the residual with its sign turned.</param>
    /// <param name="alpha">Weight of AuxK in the loss.</param>
    public static unsafe DeadLatentGradient Of(
        int[] dead,
        Tensor centred,
        Tensor error,
        Tensor encoder,
        Tensor decoder,
        Tensor bias,
        int auxK,
        double alpha
    )
    {
        using var scope = NewDisposeScope();
        var index = tensor(dead.Select(j => (long)j).ToArray());
        var (w, d, b) = (encoder.index_select(0, index), decoder.index_select(0, index), bias.index_select(0, index));
        var (encoderGradient, decoderGradient, biasGradient) = (zeros_like(w), zeros_like(d), zeros_like(b));
        var (rows, width) = ((int)centred.shape[0], (int)centred.shape[1]);
        double squares = 0;
        for (var start = 0; start < rows; start += ChunkRows)
        {
            using var step = NewDisposeScope();
            var count = Math.Min(ChunkRows, rows - start);
            var x = centred.narrow(0, start, count);
            var latents = addmm(b, x, w.t(), 1, 1);
            KeepLargest(PinnedArray.Address<float>(latents), count, dead.Length, auxK);
            var off = addmm(error.narrow(0, start, count), latents, d, 1, 1);
            squares += SumOfSquares(PinnedArray.Address<float>(off), count, width);
            decoderGradient.addmm_(latents.t(), off, 1, 1);
            var latentGradient = off.mm(d.t()).mul_(latents.IsAbove(0));
            encoderGradient.addmm_(latentGradient.t(), x, 1, 1);
            biasGradient.AddInPlace(latentGradient.sum([0]));
        }

        var elements = (double)rows * width;
        var variance = BatchStatistics.Variance(PinnedArray.Address<float>(error), rows, width);
        return new DeadLatentGradient(
            dead,
            encoderGradient.MoveToOuterDisposeScope(),
            decoderGradient.MoveToOuterDisposeScope(),
            biasGradient.MoveToOuterDisposeScope(),
            (float)(alpha * 2 / (elements * variance)),
            squares / elements / variance
        );
    }

    /// <summary>Sets all but the k largest positive values of each row to zero; ties go to the lower column.</summary>
    private static unsafe void KeepLargest(float* values, int rows, int columns, int k)
    {
        Parallelism.ForBlocks(rows, 32, (_, first, end) =>
        {
            var sorted = PinnedArray.Create<float>(columns);
            for (var i = first; i < end; i++)
            {
                var row = new Span<float>(values + ((long)i * columns), columns);
                var least = 0f;
                if (columns > k)
                {
                    row.CopyTo(sorted);
                    least = Math.Max(0, Selection.KthLargest(PinnedArray.Address(sorted), columns, k));
                }

                KeepAtLeast(row, least, k);
            }
        });
    }

    private static void KeepAtLeast(Span<float> row, float least, int k)
    {
        var above = 0;
        foreach (var value in row)
        {
            above += value > least ? 1 : 0;
        }

        var ties = k - above;
        for (var j = 0; j < row.Length; j++)
        {
            var tied = row[j] == least && ties > 0;
            ties -= tied ? 1 : 0;
            row[j] = row[j] > least || tied ? Math.Max(0, row[j]) : 0;
        }
    }

    private static unsafe double SumOfSquares(float* values, int rows, int width)
    {
        var blocks = new double[(rows + 127) / 128];
        Parallelism.ForBlocks(rows, 128, (block, first, end) =>
        {
            for (var i = first; i < end; i++)
            {
                var row = values + ((long)i * width);
                blocks[block] += RowMath.Dot(row, row, width);
            }
        });
        return blocks.Sum();
    }
}
