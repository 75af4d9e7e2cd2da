using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>The element types of the safetensors format and their TorchSharp counterparts.</summary>
internal static class SafetensorsDtype
{
    private static readonly Dictionary<string, (int Size, torch.ScalarType? Type)> Known = new(StringComparer.Ordinal)
    {
        ["F64"] = (8, torch.ScalarType.Float64),
        ["F32"] = (4, torch.ScalarType.Float32),
        ["F16"] = (2, torch.ScalarType.Float16),
        ["BF16"] = (2, torch.ScalarType.BFloat16),
        ["I64"] = (8, torch.ScalarType.Int64),
        ["I32"] = (4, torch.ScalarType.Int32),
        ["I16"] = (2, torch.ScalarType.Int16),
        ["I8"] = (1, torch.ScalarType.Int8),
        ["U8"] = (1, torch.ScalarType.Byte),
        ["BOOL"] = (1, torch.ScalarType.Bool),
        ["U16"] = (2, null),
        ["U32"] = (4, null),
        ["U64"] = (8, null),
        ["F8_E4M3"] = (1, null),
        ["F8_E5M2"] = (1, null),
    };

    /// <summary>Bytes an element takes, or null for a type the format does not know.</summary>
    public static int? Size(string dtype) => Known.TryGetValue(dtype, out var known) ? known.Size : null;

    public static torch.ScalarType? ToScalarType(string dtype) => Known.TryGetValue(dtype, out var known) ? known.Type : null;

    /// <exception cref="NotSupportedException">The format has no such type (complex numbers).</exception>
    public static string FromScalarType(torch.ScalarType type)
    {
        foreach (var (name, known) in Known)
        {
            if (known.Type == type)
            {
                return name;
            }
        }

        throw new NotSupportedException($"safetensors has no element type for {type}");
    }
}
