using ClipSae.Tensors;

namespace ClipSae.Sae.Kernels;

/// <summary>Splits work over as many threads as libtorch uses. What a block computes does not depend on the thread that runs it.</summary>
internal static class Parallelism
{
    /// <summary>Calls <paramref name="body"/>(block, first, end) for consecutive blocks of a range, several at a time.</summary>
    public static void ForBlocks(int length, int blockSize, Action<int, int, int> body)
    {
        var blocks = (length + blockSize - 1) / blockSize;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Compute.Threads };
        Parallel.For(0, blocks, options, block => body(block, block * blockSize, Math.Min(length, (block + 1) * blockSize)));
    }
}
