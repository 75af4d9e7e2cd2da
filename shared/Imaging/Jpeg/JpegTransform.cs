using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClipSae.Imaging.Jpeg;

/// <summary>
/// The accurate integer inverse cosine transform (Loeffler, Ligtenberg and Moschytz 1989, in the 13-bit arithmetic of the Independent JPEG
/// Group's "islow" method, which Pillow uses), on eight columns at once. Needs AVX2.
/// </summary>
internal static class JpegTransform
{
    private const int ConstantBits = 13;
    private const int FirstPassBits = 2;

    // Multipliers in units of 2⁻¹³ for pairs of inputs, as one multiply-add takes them.
    private static readonly Vector256<short> Even2 = Pair(4433, 4433 - 15137);
    private static readonly Vector256<short> Even3 = Pair(4433 + 6270, 4433);
    private static readonly Vector256<short> Odd3 = Pair(9633 - 16069, 9633);
    private static readonly Vector256<short> Odd4 = Pair(9633, 9633 - 3196);
    private static readonly Vector256<short> Row7 = Pair(2446 - 7373, -7373);
    private static readonly Vector256<short> Row1 = Pair(-7373, 12299 - 7373);
    private static readonly Vector256<short> Row5 = Pair(16819 - 20995, -20995);
    private static readonly Vector256<short> Row3 = Pair(-20995, 25172 - 20995);

    public static bool IsSupported => Avx2.IsSupported;

    /// <param name="coefficients">64 quantized coefficients in natural order.</param>
    /// <param name="steps">64 quantization steps in natural order.</param>
    /// <param name="samples">Upper left sample of the block's place.</param>
    /// <param name="stride">Bytes from row to row.</param>
    public static void Inverse(ReadOnlySpan<short> coefficients, ReadOnlySpan<short> steps, ref byte samples, int stride)
    {
        ref var source = ref MemoryMarshal.GetReference(coefficients);
        ref var scale = ref MemoryMarshal.GetReference(steps);
        Rows rows = default;
        for (var row = 0; row < 8; row++)
        {
            rows[row] = Sse2.MultiplyLow(
                Vector128.LoadUnsafe(ref source, (nuint)(row * 8)),
                Vector128.LoadUnsafe(ref scale, (nuint)(row * 8))
            );
        }

        Pass(ref rows, ConstantBits - FirstPassBits);
        Transpose(ref rows);
        Pass(ref rows, ConstantBits + FirstPassBits + 3);
        Transpose(ref rows);
        var middle = Vector128.Create((byte)128);
        for (var row = 0; row < 8; row += 2)
        {
            var two = Sse2.Add(Sse2.PackSignedSaturate(rows[row], rows[row + 1]).AsByte(), middle);
            two.GetLower().StoreUnsafe(ref samples, (nuint)(row * stride));
            two.GetUpper().StoreUnsafe(ref samples, (nuint)((row + 1) * stride));
        }
    }

    /// <summary>The block whose AC coefficients are all zero: one grey.</summary>
    public static void Fill(int dc, int step, ref byte samples, int stride)
    {
        // Both passes' rounding: (dc·step·4 · 2¹³ + 2¹⁷) >> 18.
        var value = (byte)(Math.Clamp((((short)(dc * step) << FirstPassBits) + 16) >> 5, -128, 127) + 128);
        var eight = Vector64.Create(value);
        for (var row = 0; row < 8; row++)
        {
            eight.StoreUnsafe(ref samples, (nuint)(row * stride));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pass(ref Rows rows, [ConstantExpected] byte shift)
    {
        var (row0, row1, row2, row3) = (rows[0], rows[1], rows[2], rows[3]);
        var (row4, row5, row6, row7) = (rows[4], rows[5], rows[6], rows[7]);
        var round = Vector256.Create(1 << (shift - 1));

        var even = Interleave(row2, row6);
        var (even2, even3) = (Avx2.MultiplyAddAdjacent(even, Even2), Avx2.MultiplyAddAdjacent(even, Even3));
        var even0 = Avx2.Add(Avx2.ShiftLeftLogical(Avx2.ConvertToVector256Int32(Sse2.Add(row0, row4)), ConstantBits), round);
        var even1 = Avx2.Add(Avx2.ShiftLeftLogical(Avx2.ConvertToVector256Int32(Sse2.Subtract(row0, row4)), ConstantBits), round);
        var (sum0, sum3) = (Avx2.Add(even0, even3), Avx2.Subtract(even0, even3));
        var (sum1, sum2) = (Avx2.Add(even1, even2), Avx2.Subtract(even1, even2));

        var cross = Interleave(Sse2.Add(row7, row3), Sse2.Add(row5, row1));
        var (cross3, cross4) = (Avx2.MultiplyAddAdjacent(cross, Odd3), Avx2.MultiplyAddAdjacent(cross, Odd4));
        var (outer, inner) = (Interleave(row7, row1), Interleave(row5, row3));
        var odd0 = Avx2.Add(Avx2.MultiplyAddAdjacent(outer, Row7), cross3);
        var odd3 = Avx2.Add(Avx2.MultiplyAddAdjacent(outer, Row1), cross4);
        var odd1 = Avx2.Add(Avx2.MultiplyAddAdjacent(inner, Row5), cross4);
        var odd2 = Avx2.Add(Avx2.MultiplyAddAdjacent(inner, Row3), cross3);

        (rows[0], rows[7]) = Butterfly(sum0, odd3, shift);
        (rows[1], rows[6]) = Butterfly(sum1, odd2, shift);
        (rows[2], rows[5]) = Butterfly(sum2, odd1, shift);
        (rows[3], rows[4]) = Butterfly(sum3, odd0, shift);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<short> Sum, Vector128<short> Difference) Butterfly(
        Vector256<int> even,
        Vector256<int> odd,
        [ConstantExpected] byte shift
    )
    {
        var sum = Avx2.ShiftRightArithmetic(Avx2.Add(even, odd), shift);
        var difference = Avx2.ShiftRightArithmetic(Avx2.Subtract(even, odd), shift);
        return (
            Sse2.PackSignedSaturate(sum.GetLower(), sum.GetUpper()),
            Sse2.PackSignedSaturate(difference.GetLower(), difference.GetUpper())
        );
    }

    /// <summary>a₀ b₀ a₁ b₁ … a₇ b₇.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Interleave(Vector128<short> a, Vector128<short> b) =>
        Vector256.Create(Sse2.UnpackLow(a, b), Sse2.UnpackHigh(a, b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref Rows rows)
    {
        var (a0, a1) = (Sse2.UnpackLow(rows[0], rows[1]).AsInt32(), Sse2.UnpackHigh(rows[0], rows[1]).AsInt32());
        var (a2, a3) = (Sse2.UnpackLow(rows[2], rows[3]).AsInt32(), Sse2.UnpackHigh(rows[2], rows[3]).AsInt32());
        var (a4, a5) = (Sse2.UnpackLow(rows[4], rows[5]).AsInt32(), Sse2.UnpackHigh(rows[4], rows[5]).AsInt32());
        var (a6, a7) = (Sse2.UnpackLow(rows[6], rows[7]).AsInt32(), Sse2.UnpackHigh(rows[6], rows[7]).AsInt32());
        var (b0, b1) = (Sse2.UnpackLow(a0, a2).AsInt64(), Sse2.UnpackHigh(a0, a2).AsInt64());
        var (b2, b3) = (Sse2.UnpackLow(a1, a3).AsInt64(), Sse2.UnpackHigh(a1, a3).AsInt64());
        var (b4, b5) = (Sse2.UnpackLow(a4, a6).AsInt64(), Sse2.UnpackHigh(a4, a6).AsInt64());
        var (b6, b7) = (Sse2.UnpackLow(a5, a7).AsInt64(), Sse2.UnpackHigh(a5, a7).AsInt64());
        (rows[0], rows[1]) = (Sse2.UnpackLow(b0, b4).AsInt16(), Sse2.UnpackHigh(b0, b4).AsInt16());
        (rows[2], rows[3]) = (Sse2.UnpackLow(b1, b5).AsInt16(), Sse2.UnpackHigh(b1, b5).AsInt16());
        (rows[4], rows[5]) = (Sse2.UnpackLow(b2, b6).AsInt16(), Sse2.UnpackHigh(b2, b6).AsInt16());
        (rows[6], rows[7]) = (Sse2.UnpackLow(b3, b7).AsInt16(), Sse2.UnpackHigh(b3, b7).AsInt16());
    }

    private static Vector256<short> Pair(short first, short second) => Vector256.Create(((ushort)first | (second << 16))).AsInt16();

    [InlineArray(8)]
    private struct Rows
    {
        private Vector128<short> _row;
    }
}
