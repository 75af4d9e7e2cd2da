using static TorchSharp.torch;

namespace ClipSae.Sae;

/// <summary>Some rows of others, in the order given. Does not own them.</summary>
public sealed class ChosenRows(IActivationRows all, long[] chosen) : IActivationRows
{
    /// <inheritdoc/>
    public long Rows => chosen.Length;

    /// <inheritdoc/>
    public int Width => all.Width;

    /// <inheritdoc/>
    public Tensor Read(ReadOnlySpan<long> rows)
    {
        var mapped = new long[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            mapped[i] = chosen[rows[i]];
        }

        return all.Read(mapped);
    }

    /// <inheritdoc/>
    public Tensor ReadRange(long start, int count) => all.Read(chosen.AsSpan((int)start, count));
}
