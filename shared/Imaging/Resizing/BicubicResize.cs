using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClipSae.Imaging.Resizing;

/// <summary>The two passes of Pillow's 8-bit resize, bit for bit, with AVX2 where the processor has it.</summary>
internal static class BicubicResize
{
    private const int Half = 1 << (ResizeAxis.PrecisionBits - 1);

    /// <summary>Channels of a pixel.</summary>
    private const int Channels = 3;

    /// <summary>
    /// Bytes of red, green and blue of two pixels, each widened to 16 bits, side by side: r0 r1 g0 g1 b0 b1; the upper half does pixels 2
    /// and 3.
    /// </summary>
    private static readonly Vector256<byte> PairPixels = Vector256.Create(
        0,
        0x80,
        3,
        0x80,
        1,
        0x80,
        4,
        0x80,
        2,
        0x80,
        5,
        0x80,
        0x80,
        0x80,
        0x80,
        0x80,
        6,
        0x80,
        9,
        0x80,
        7,
        0x80,
        10,
        0x80,
        8,
        0x80,
        11,
        0x80,
        0x80,
        0x80,
        0x80,
        (byte)0x80
    );

    /// <summary>Filters one row along x.</summary>
    /// <param name="row">Source pixels [width, 3] from <paramref name="offset"/> on.</param>
    /// <param name="offset">Where the row starts in the source picture, pixels.</param>
    /// <param name="result">[axis.Count, 3].</param>
    public static void Horizontal(ReadOnlySpan<byte> row, int offset, ResizeAxis axis, Span<byte> result, bool vectors)
    {
        var done = vectors && Avx2.IsSupported ? HorizontalAvx2(row, offset, axis, result) : 0;
        for (var output = done; output < axis.Count; output++)
        {
            var weights = axis.Weights.AsSpan(output * axis.Taps, axis.Lengths[output]);
            var pixels = row.Slice((axis.Starts[output] - offset) * Channels, weights.Length * Channels);
            var (red, green, blue) = (Half, Half, Half);
            for (var tap = 0; tap < weights.Length; tap++)
            {
                red += pixels[tap * Channels] * weights[tap];
                green += pixels[tap * Channels + 1] * weights[tap];
                blue += pixels[tap * Channels + 2] * weights[tap];
            }

            result[output * Channels] = Clip(red);
            result[output * Channels + 1] = Clip(green);
            result[output * Channels + 2] = Clip(blue);
        }
    }

    /// <summary>Filters along y into one row.</summary>
    /// <param name="rows">[length, stride] bytes, the rows that the weights apply to.</param>
    public static void Vertical(ReadOnlySpan<byte> rows, int stride, ReadOnlySpan<int> weights, Span<byte> result, bool vectors)
    {
        var done = vectors && Avx2.IsSupported ? VerticalAvx2(rows, stride, weights, result) : 0;
        for (var column = done; column < result.Length; column++)
        {
            var sum = Half;
            for (var tap = 0; tap < weights.Length; tap++)
            {
                sum += rows[tap * stride + column] * weights[tap];
            }

            result[column] = Clip(sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> ResizeAxis.PrecisionBits, 0, 255);

    /// <returns>Outputs done; the last ones, whose 16-byte reads would pass the row's end, are left to the scalar code.</returns>
    private static int HorizontalAvx2(ReadOnlySpan<byte> row, int offset, ResizeAxis axis, Span<byte> result)
    {
        var (groups, output) = (axis.Taps / 4, 0);
        ref var source = ref MemoryMarshal.GetReference(row);
        ref var target = ref MemoryMarshal.GetReference(result);
        ref var packed = ref MemoryMarshal.GetArrayDataReference(axis.Packed);
        var round = Vector128.Create(Half);
        for (; output < axis.Count; output++)
        {
            var start = (axis.Starts[output] - offset) * Channels;
            if (start + (groups - 1) * 4 * Channels + 16 > row.Length || (output + 1) * Channels + 1 > result.Length)
            {
                break;
            }

            var (high, low) = (Vector256<int>.Zero, Vector256<int>.Zero);
            ref var pixels = ref Unsafe.Add(ref source, start);
            ref var weights = ref Unsafe.Add(ref packed, output * groups * 4);
            for (var group = 0; group < groups; group++)
            {
                var four = Vector128.LoadUnsafe(ref pixels, (nuint)(group * 4 * Channels));
                var pairs = Avx2.Shuffle(Vector256.Create(four, four), PairPixels).AsInt16();
                ref var pair = ref Unsafe.Add(ref weights, group * 4);
                high = Avx2.Add(high, Avx2.MultiplyAddAdjacent(pairs, Both(pair, Unsafe.Add(ref pair, 1))));
                low = Avx2.Add(low, Avx2.MultiplyAddAdjacent(pairs, Both(Unsafe.Add(ref pair, 2), Unsafe.Add(ref pair, 3))));
            }

            var whole = Avx2.Add(Avx2.ShiftLeftLogical(high, ResizeAxis.LowBits), low);
            var sum = Sse2.Add(Sse2.Add(whole.GetLower(), whole.GetUpper()), round);
            var words = Sse2.PackSignedSaturate(Sse2.ShiftRightArithmetic(sum, ResizeAxis.PrecisionBits), Vector128<int>.Zero);
            var bytes = Sse2.PackUnsignedSaturate(words, Vector128<short>.Zero);
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref target, output * Channels), bytes.AsUInt32().ToScalar());
        }

        return output;

        static Vector256<short> Both(int first, int second) =>
            Vector256.Create(Vector128.Create(first), Vector128.Create(second)).AsInt16();
    }

    private static int VerticalAvx2(ReadOnlySpan<byte> rows, int stride, ReadOnlySpan<int> weights, Span<byte> result)
    {
        var column = 0;
        ref var source = ref MemoryMarshal.GetReference(rows);
        var round = Vector256.Create(Half);
        for (; column + 16 <= result.Length; column += 16)
        {
            var (highA, highB, lowA, lowB) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
            for (var tap = 0; tap < weights.Length; tap += 2)
            {
                var paired = tap + 1 < weights.Length;
                var first = Vector128.LoadUnsafe(ref source, (nuint)(tap * stride + column));
                var second = paired ? Vector128.LoadUnsafe(ref source, (nuint)((tap + 1) * stride + column)) : Vector128<byte>.Zero;
                var (highs, lows) = Split(weights[tap], paired ? weights[tap + 1] : 0);
                var (high, low) = (Vector256.Create(highs).AsInt16(), Vector256.Create(lows).AsInt16());
                var a = Avx2.ConvertToVector256Int16(Sse2.UnpackLow(first, second));
                var b = Avx2.ConvertToVector256Int16(Sse2.UnpackHigh(first, second));
                highA = Avx2.Add(highA, Avx2.MultiplyAddAdjacent(a, high));
                highB = Avx2.Add(highB, Avx2.MultiplyAddAdjacent(b, high));
                lowA = Avx2.Add(lowA, Avx2.MultiplyAddAdjacent(a, low));
                lowB = Avx2.Add(lowB, Avx2.MultiplyAddAdjacent(b, low));
            }

            var words = Avx2.PackSignedSaturate(Finish(highA, lowA, round), Finish(highB, lowB, round));
            // The pack works within halves of 128 bits: put the words back in order before the last one.
            words = Avx2.Permute4x64(words.AsInt64(), 0b11_01_10_00).AsInt16();
            Sse2.PackUnsignedSaturate(words.GetLower(), words.GetUpper())
                .StoreUnsafe(ref MemoryMarshal.GetReference(result), (nuint)column);
        }

        return column;

        static Vector256<int> Finish(Vector256<int> high, Vector256<int> low, Vector256<int> round) =>
            Avx2.ShiftRightArithmetic(
                Avx2.Add(Avx2.Add(Avx2.ShiftLeftLogical(high, ResizeAxis.LowBits), low), round),
                ResizeAxis.PrecisionBits
            );
    }

    /// <summary>Two weights as pairs of 16-bit halves: the high halves of both in one number, the low halves in the other.</summary>
    internal static (int Highs, int Lows) Split(int first, int second)
    {
        const int mask = (1 << ResizeAxis.LowBits) - 1;
        var highs = ((first >> ResizeAxis.LowBits) & 0xFFFF) | ((second >> ResizeAxis.LowBits) << 16);
        return (highs, (first & mask) | ((second & mask) << 16));
    }
}
