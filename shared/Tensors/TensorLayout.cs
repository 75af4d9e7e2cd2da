using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>Name, element type and sizes of a tensor that is about to be written.</summary>
public sealed record TensorLayout(string Name, torch.ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Bytes the tensor takes.</summary>
    public long Bytes => Shape.Aggregate((long)SafetensorsDtype.Size(SafetensorsDtype.FromScalarType(Type))!.Value, (a, b) => checked(a * b));
}
