using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>
/// The 256 numbers that a byte stands for: dynamic tree quantisation (Dettmers 2016, arXiv 1511.04561; Dettmers et al. 2022, arXiv
/// 2110.02861, section 1.3). Seven decades below 1, each with twice as many equal steps as that below it, 0 and 1; the positive ones of
/// signed numbers have a step in place of two.
/// </summary>
public sealed class DynamicMap : IDisposable
{
    private const int Decades = 7;

    /// <param name="signed">Whether numbers have a sign; otherwise the bit goes to finer steps.</param>
    public DynamicMap(bool signed, Device device)
    {
        float[] numbers = [.. Numbers(signed)];
        float[] between = [.. numbers.Zip(numbers.Skip(1), (low, high) => (float)(((double)low + high) / 2))];
        Values = On(device, numbers);
        Midpoints = On(device, between);
    }

    /// <summary>[256], ascending, in −1 … 1.</summary>
    public Tensor Values { get; }

    /// <summary>[255], between every two.</summary>
    public Tensor Midpoints { get; }

    /// <summary>The numbers, ascending.</summary>
    public static IEnumerable<float> Numbers(bool signed) =>
        Enumerable
            .Range(0, Decades)
            .SelectMany(decade =>
            {
                var steps = (1 << decade) * (signed ? 1 : 2);
                var scale = Math.Pow(10, decade - Decades + 1);
                return Enumerable.Range(0, steps).Select(step => scale * (0.1 + (0.9 * (step + 0.5) / steps)));
            })
            .SelectMany(number => signed ? new[] { -number, number } : [number])
            .Append(0)
            .Append(1)
            .Order()
            .Select(number => (float)number);

    private static Tensor On(Device device, float[] numbers)
    {
        using var scope = NewDisposeScope();
        return AlignedTensor.Of(numbers, numbers.Length).to(device).DetachFromDisposeScope();
    }

    public void Dispose()
    {
        Values.Dispose();
        Midpoints.Dispose();
    }
}
