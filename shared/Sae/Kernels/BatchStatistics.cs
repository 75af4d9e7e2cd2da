namespace ClipSae.Sae.Kernels;

/// <summary>Sums over a batch [rows, width] in an order that does not depend on the number of threads.</summary>
internal static unsafe class BatchStatistics
{
    private const int BlockRows = 128;

    /// <summary>Σ over the rows [width].</summary>
    public static double[] ColumnSums(float* x, int rows, int width)
    {
        var blocks = (rows + BlockRows - 1) / BlockRows;
        var partial = PinnedArray.Create<float>(blocks * width);
        var sums = PinnedArray.Address(partial);
        Parallelism.ForBlocks(rows, BlockRows, (block, first, end) =>
        {
            for (var i = first; i < end; i++)
            {
                RowMath.AddScaled(sums + ((long)block * width), 1, x + ((long)i * width), width);
            }
        });
        var total = new double[width];
        for (var i = 0; i < partial.Length; i++)
        {
            total[i % width] += partial[i];
        }

        return total;
    }

    /// <summary>Mean over the features of their variance in the batch.</summary>
    public static double Variance(float* x, int rows, int width)
    {
        var mean = PinnedArray.Create<float>(width);
        var sums = ColumnSums(x, rows, width);
        for (var i = 0; i < width; i++)
        {
            mean[i] = (float)(sums[i] / rows);
        }

        var centre = PinnedArray.Address(mean);
        var blocks = new double[(rows + BlockRows - 1) / BlockRows];
        Parallelism.ForBlocks(rows, BlockRows, (block, first, end) =>
        {
            var row = stackalloc float[width];
            for (var i = first; i < end; i++)
            {
                RowMath.Subtract(row, x + ((long)i * width), centre, width);
                blocks[block] += RowMath.Dot(row, row, width);
            }
        });
        GC.KeepAlive(mean); // nothing else does while its address is in use
        return Math.Max(blocks.Sum() / ((double)rows * width), 1e-12);
    }
}
