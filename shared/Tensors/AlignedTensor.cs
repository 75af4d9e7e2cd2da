using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Numbers of the program as a tensor in memory of libtorch's own, which begins at a multiple of 64 bytes. <c>torch.tensor</c> of an array
/// takes the array's memory as it is, at any multiple of 8 bytes, and a matrix product adds up in another order for another alignment:
/// equal input would not give equal bits.
/// </summary>
public static class AlignedTensor
{
    /// <summary>A tensor that holds a copy of the values.</summary>
    /// <param name="values">Elements, row-major.</param>
    /// <param name="shape">Sizes, outermost first; their product is the number of values.</param>
    public static torch.Tensor Of(ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) =>
        Of(values, shape, torch.ScalarType.Float32);

    /// <inheritdoc cref="Of(ReadOnlySpan{float}, ReadOnlySpan{long})"/>
    public static torch.Tensor Of(ReadOnlySpan<double> values, params ReadOnlySpan<long> shape) =>
        Of(values, shape, torch.ScalarType.Float64);

    private static unsafe torch.Tensor Of<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> shape, torch.ScalarType type)
        where T : unmanaged
    {
        var tensor = LargePages.Empty(shape, type);
        if (tensor.NumberOfElements != values.Length)
        {
            throw new ArgumentException($"{values.Length} values do not fill a tensor of {tensor.NumberOfElements}.", nameof(values));
        }

        if (values.Length > 0)
        {
            values.CopyTo(new Span<T>((void*)LargePages.Address(tensor), values.Length));
        }

        return tensor;
    }
}
