namespace ClipSae.Tensors.Torch;

/// <summary>A view of a storage.</summary>
/// <param name="Storage">Where the elements are.</param>
/// <param name="Dtype">Element type by its safetensors name.</param>
/// <param name="Offset">First element.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Strides">Elements between neighbours along each axis.</param>
internal sealed record TorchTensor(TorchStorage Storage, string Dtype, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Elements of the tensor; more than the storage has where strides are 0 or overlap.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);
}
