using static TorchSharp.torch;

namespace ClipSae.Sae;

/// <summary>Activations held in one tensor [rows, d_in] of any floating type. Does not own the tensor.</summary>
public sealed class TensorRows(Tensor activations) : IActivationRows
{
    public long Rows => activations.shape[0];

    public int Width => (int)activations.shape[1];

    /// <inheritdoc/>
    public Tensor Read(ReadOnlySpan<long> rows)
    {
        using var scope = NewDisposeScope();
        return activations.index_select(0, tensor(rows.ToArray())).to(float32).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor ReadRange(long start, int count)
    {
        using var scope = NewDisposeScope();
        return activations.narrow(0, start, count).to(float32).MoveToOuterDisposeScope();
    }
}
