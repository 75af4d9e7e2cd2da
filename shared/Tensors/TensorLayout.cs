using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>Name, element type and sizes of a tensor that is about to be written.</summary>
public sealed record TensorLayout(string Name, torch.ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Bytes an element takes.</summary>
    public int ElementSize => SafetensorsDtype.Size(SafetensorsDtype.FromScalarType(Type))!.Value;

    /// <summary>Bytes the tensor takes.</summary>
    public long Bytes => Shape.Aggregate((long)ElementSize, (a, b) => checked(a * b));

    public override string ToString() => $"{Type} [{string.Join(", ", Shape)}]";
}
