using static TorchSharp.torch;

namespace ClipSae.Sae;

/// <summary>Activations of one hook point, [rows, d_in], read by row; in memory or over many shards.</summary>
public interface IActivationRows
{
    long Rows { get; }

    /// <summary>d_in.</summary>
    int Width { get; }

    /// <summary>The named rows in the order given, [rows.Length, d_in], float32, on the CPU.</summary>
    Tensor Read(ReadOnlySpan<long> rows);

    /// <summary>Consecutive rows from <paramref name="start"/>, [count, d_in], float32, on the CPU.</summary>
    Tensor ReadRange(long start, int count);
}
