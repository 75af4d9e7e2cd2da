namespace ClipSae.Tensors.Torch;

/// <summary>A run of elements that a checkpoint stores under a key.</summary>
/// <param name="Key">Name of the storage in the file.</param>
/// <param name="Dtype">Element type by its safetensors name; <c>U8</c> for untyped storages.</param>
/// <param name="Elements">Elements that the pickle says it has; the file has to agree.</param>
internal sealed record TorchStorage(string Key, string Dtype, long Elements)
{
    /// <summary>Bytes; may be more than a file can hold.</summary>
    public Int128 Bytes => (Int128)Elements * SafetensorsDtype.Size(Dtype)!.Value;
}
