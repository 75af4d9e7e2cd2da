using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>What libtorch calls a <see cref="Precision"/>.</summary>
public static class PrecisionTypes
{
    public static torch.ScalarType Type(this Precision precision) =>
        precision switch
        {
            Precision.Float16 => torch.float16,
            Precision.Bfloat16 => torch.bfloat16,
            Precision.Int8 => torch.int8,
            _ => torch.float32,
        };
}
