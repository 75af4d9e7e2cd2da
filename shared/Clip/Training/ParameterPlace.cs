using static TorchSharp.torch;

namespace ClipSae.Clip.Training;

/// <summary>Where a parameter is in a flat buffer.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="Start">Its first element.</param>
public sealed record ParameterPlace(string Name, long[] Shape, long Start)
{
    public long Length { get; } = Shape.Aggregate(1L, (product, size) => product * size);

    public long End => Start + Length;

    /// <summary>The parameter's part of a buffer, in its sizes; no copy.</summary>
    public Tensor Of(Tensor buffer)
    {
        using var scope = NewDisposeScope();
        return buffer.narrow(0, Start, Length).view(Shape).MoveToOuterDisposeScope();
    }
}
