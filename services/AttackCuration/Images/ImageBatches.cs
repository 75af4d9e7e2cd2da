using ClipSae.Clip.Preprocessing;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Images;

/// <summary>Pictures a batch at a time, and tables as rows.</summary>
internal static class ImageBatches
{
    /// <summary>Hands over all pictures in order, each batch normalised on the device and in a dispose scope of its own.</summary>
    /// <param name="pixels">uint8 [pictures, 3, R, R].</param>
    /// <param name="normalization">The model's.</param>
    /// <param name="each">Gets float32 [batch, 3, R, R].</param>
    public static void Each(
        Tensor pixels,
        PixelNormalization normalization,
        int batch,
        Device device,
        CancellationToken cancel,
        Action<Tensor> each
    )
    {
        for (long from = 0; from < pixels.shape[0]; from += batch)
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            each(normalization.Apply(pixels.narrow(0, from, Math.Min(batch, pixels.shape[0] - from)).to(device)));
        }
    }

    /// <summary>The rows of a float32 table [rows, columns].</summary>
    public static float[][] Rows(Tensor table) => [.. table.cpu().contiguous().data<float>().ToArray().Chunk((int)table.shape[1])];
}
