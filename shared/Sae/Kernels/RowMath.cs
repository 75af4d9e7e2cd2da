using System.Runtime.Intrinsics;

namespace ClipSae.Sae.Kernels;

/// <summary>
/// Arithmetic on rows of float32 in native memory. The order of every sum is fixed (16 lanes, then a tree, then the tail), on any machine
/// and with any number of threads, so equal inputs give equal bits.
/// </summary>
internal static unsafe class RowMath
{
    private const int Lanes = 16;

    /// <summary>Σ aᵢbᵢ.</summary>
    public static float Dot(float* a, float* b, int length)
    {
        var (s0, s1, s2, s3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var i = 0;
        for (; i <= length - (4 * Lanes); i += 4 * Lanes)
        {
            s0 = Vector512.FusedMultiplyAdd(Vector512.Load(a + i), Vector512.Load(b + i), s0);
            s1 = Vector512.FusedMultiplyAdd(Vector512.Load(a + i + Lanes), Vector512.Load(b + i + Lanes), s1);
            s2 = Vector512.FusedMultiplyAdd(Vector512.Load(a + i + (2 * Lanes)), Vector512.Load(b + i + (2 * Lanes)), s2);
            s3 = Vector512.FusedMultiplyAdd(Vector512.Load(a + i + (3 * Lanes)), Vector512.Load(b + i + (3 * Lanes)), s3);
        }

        for (; i <= length - Lanes; i += Lanes)
        {
            s0 = Vector512.FusedMultiplyAdd(Vector512.Load(a + i), Vector512.Load(b + i), s0);
        }

        var sum = Vector512.Sum(s0 + s1 + (s2 + s3));
        for (; i < length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    /// <summary>y += factor · x.</summary>
    public static void AddScaled(float* y, float factor, float* x, int length)
    {
        var factors = Vector512.Create(factor);
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
        {
            Vector512.FusedMultiplyAdd(factors, Vector512.Load(x + i), Vector512.Load(y + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] += factor * x[i];
        }
    }

    /// <summary>y = −x.</summary>
    public static void Negate(float* y, float* x, int length)
    {
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
        {
            (-Vector512.Load(x + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] = -x[i];
        }
    }

    /// <summary>y = factor · y.</summary>
    public static void Scale(float* y, float factor, int length)
    {
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
        {
            (Vector512.Load(y + i) * factor).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] *= factor;
        }
    }

    /// <summary>y = a − b.</summary>
    public static void Subtract(float* y, float* a, float* b, int length)
    {
        var i = 0;
        for (; i <= length - Lanes; i += Lanes)
        {
            (Vector512.Load(a + i) - Vector512.Load(b + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] = a[i] - b[i];
        }
    }

    /// <summary>
    /// Rounds a row to bfloat16, to nearest even as libtorch does; gives ‖x‖ and ‖x − rounded‖, which bound what a product of rounded rows
    /// can be off by.
    /// </summary>
    public static (float Norm, float Lost) RoundToBFloat16(float* x, ushort* rounded, int length)
    {
        var (squares, lost) = (Vector512<float>.Zero, Vector512<float>.Zero);
        var i = 0;
        for (; i <= length - (2 * Lanes); i += 2 * Lanes)
        {
            var (low, high) = (Rounded(Vector512.Load(x + i)), Rounded(Vector512.Load(x + i + Lanes)));
            Vector512.Narrow(low >>> 16, high >>> 16).Store(rounded + i);
            Accumulate(Vector512.Load(x + i), low, ref squares, ref lost);
            Accumulate(Vector512.Load(x + i + Lanes), high, ref squares, ref lost);
        }

        var (sumSquares, sumLost) = (Vector512.Sum(squares), Vector512.Sum(lost));
        for (; i < length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(x[i]);
            bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000;
            rounded[i] = (ushort)(bits >> 16);
            var difference = x[i] - BitConverter.UInt32BitsToSingle(bits);
            sumSquares += x[i] * x[i];
            sumLost += difference * difference;
        }

        return (MathF.Sqrt(sumSquares), MathF.Sqrt(sumLost));
    }

    private static Vector512<uint> Rounded(Vector512<float> x)
    {
        var bits = x.AsUInt32();
        return (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512.Create(1u))) & Vector512.Create(0xFFFF0000u);
    }

    private static void Accumulate(Vector512<float> x, Vector512<uint> rounded, ref Vector512<float> squares, ref Vector512<float> lost)
    {
        var difference = x - rounded.AsSingle();
        squares = Vector512.FusedMultiplyAdd(x, x, squares);
        lost = Vector512.FusedMultiplyAdd(difference, difference, lost);
    }
}
