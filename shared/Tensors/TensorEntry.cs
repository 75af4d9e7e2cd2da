using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>What a safetensors header says about one tensor.</summary>
/// <param name="Name">Key of the tensor.</param>
/// <param name="Dtype">Element type as the file writes it, for example <c>F32</c>.</param>
/// <param name="Shape">Sizes, outermost first; empty for a scalar.</param>
/// <param name="Offset">First byte in the file.</param>
/// <param name="Length">Bytes.</param>
public sealed record TensorEntry(string Name, string Dtype, IReadOnlyList<long> Shape, long Offset, long Length)
{
    /// <summary>The TorchSharp type, or null where TorchSharp has none for it.</summary>
    public torch.ScalarType? ScalarType => SafetensorsDtype.ToScalarType(Dtype);

    public override string ToString() => $"{Dtype} [{string.Join(", ", Shape)}]";
}
