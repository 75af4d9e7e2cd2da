namespace ClipSae.Sae.Kernels;

/// <summary>
/// What is computed row by row: decoding, error, gradient of the activations; a row's k dictionary rows stay in cache throughout.
/// </summary>
internal static unsafe class RowPass
{
    private const int BlockRows = 32;

    /// <summary>centred = x − b_pre.</summary>
    public static void Centre(float* x, float* preBias, float* centred, int rows, int width) =>
        Parallelism.ForBlocks(rows, BlockRows, (_, first, end) =>
        {
            for (var i = (long)first; i < end; i++)
            {
                RowMath.Subtract(centred + (i * width), x + (i * width), preBias, width);
            }
        });

    /// <summary>
    /// error = Σ_j z_j·W_dec[j] − centred, which is x̂ − x; the gradient of ½‖error‖² with respect to each activation is error·W_dec[j].
    /// </summary>
    /// <returns>Σ ‖error‖² over the batch.</returns>
    public static double Decode(ActiveLatents active, float* decoder, float* centred, float* error, int width)
    {
        var k = active.K;
        var indices = active.Indices;
        var values = active.Values;
        var gradients = active.Gradients;
        var blocks = new double[(active.Rows + BlockRows - 1) / BlockRows];
        Parallelism.ForBlocks(active.Rows, BlockRows, (block, first, end) =>
        {
            for (var i = (long)first; i < end; i++)
            {
                var row = error + (i * width);
                RowMath.Negate(row, centred + (i * width), width);
                for (var slot = i * k; slot < (i + 1) * k && indices[slot] >= 0; slot++)
                {
                    RowMath.AddScaled(row, values[slot], decoder + ((long)indices[slot] * width), width);
                }

                for (var slot = i * k; slot < (i + 1) * k && indices[slot] >= 0; slot++)
                {
                    gradients[slot] = RowMath.Dot(row, decoder + ((long)indices[slot] * width), width);
                }

                blocks[block] += RowMath.Dot(row, row, width);
            }
        });
        return blocks.Sum();
    }
}
