using System.Diagnostics;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Kernels;

/// <summary>
/// The type in which candidates are proposed. It decides the time alone: the values kept are computed in float32 in the same way after
/// either, so results are bit for bit the same, and it may be chosen by a stopwatch.
/// </summary>
internal static class ProductPrecision
{
    private static readonly Lazy<bool> Measured = new(BFloat16Wins);

    /// <summary>Whether this machine multiplies bfloat16 matrices faster than float32 ones.</summary>
    public static bool PreferBFloat16 => Measured.Value;

    private static bool BFloat16Wins()
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        return Seconds(bfloat16) < Seconds(float32);
    }

    private static double Seconds(ScalarType type)
    {
        var (a, b) = (ones(256, 512, dtype: type), ones(1024, 512, dtype: type));
        LinearLayer.Apply(a, b);
        return Enumerable
            .Range(0, 3)
            .Min(_ =>
            {
                var start = Stopwatch.GetTimestamp();
                LinearLayer.Apply(a, b);
                return Stopwatch.GetElapsedTime(start).TotalSeconds;
            });
    }
}
