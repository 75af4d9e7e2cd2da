using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClipSae.Imaging.Jpeg;

/// <summary>
/// Chroma upsampling with the triangle filter and conversion to RGB, in the integer arithmetic of the Independent JPEG Group's library.
/// </summary>
internal static class JpegColour
{
    // Multipliers in units of 2⁻¹⁶ on (Cb, Cr), what is left of 1.402, 1.772 and 0.71414 after whole multiples.
    private const int RedCr = 26345;
    private const int BlueCb = -14942;
    private const int GreenCb = -22554;
    private const int GreenCr = 18734;

    /// <summary>Doubles a row: each new sample is three parts the nearer and one part the further old one.</summary>
    public static void DoubleWidth(ReadOnlySpan<byte> row, Span<byte> result)
    {
        var last = row.Length - 1;
        result[0] = row[0];
        result[1] = (byte)((row[0] * 3 + row[1] + 2) >> 2);
        for (var x = 1; x < last; x++)
        {
            var here = row[x] * 3;
            result[2 * x] = (byte)((here + row[x - 1] + 1) >> 2);
            result[2 * x + 1] = (byte)((here + row[x + 1] + 2) >> 2);
        }

        result[2 * last] = (byte)((row[last] * 3 + row[last - 1] + 1) >> 2);
        result[2 * last + 1] = row[last];
    }

    /// <summary>The same in both directions, from the nearer and the further of two rows.</summary>
    /// <param name="sums">Scratch as long as the rows.</param>
    public static void DoubleBoth(ReadOnlySpan<byte> near, ReadOnlySpan<byte> far, Span<short> sums, Span<byte> result)
    {
        for (var x = 0; x < near.Length; x++)
        {
            sums[x] = (short)(near[x] * 3 + far[x]);
        }

        var last = near.Length - 1;
        result[0] = (byte)((sums[0] * 4 + 8) >> 4);
        result[1] = (byte)((sums[0] * 3 + sums[1] + 7) >> 4);
        for (var x = 1; x < last; x++)
        {
            var here = sums[x] * 3;
            result[2 * x] = (byte)((here + sums[x - 1] + 8) >> 4);
            result[2 * x + 1] = (byte)((here + sums[x + 1] + 7) >> 4);
        }

        result[2 * last] = (byte)((sums[last] * 3 + sums[last - 1] + 8) >> 4);
        result[2 * last + 1] = (byte)((sums[last] * 4 + 7) >> 4);
    }

    /// <summary>Repeats grey three times.</summary>
    public static void Grey(ReadOnlySpan<byte> luma, Span<byte> rgb)
    {
        for (var x = 0; x < luma.Length; x++)
        {
            rgb[3 * x] = rgb[3 * x + 1] = rgb[3 * x + 2] = luma[x];
        }
    }

    /// <summary>CMYK from samples that hold what is left of white, as every program stores it and Pillow takes it.</summary>
    /// <param name="inks">Samples of a row, one list a component.</param>
    /// <param name="cmyk">[inks, 4].</param>
    public static void Inverted(ReadOnlyMemory<byte>[] inks, Span<byte> cmyk)
    {
        for (var ink = 0; ink < inks.Length; ink++)
        {
            var samples = inks[ink].Span;
            for (var x = 0; x < samples.Length; x++)
            {
                cmyk[4 * x + ink] = (byte)~samples[x];
            }
        }
    }

    /// <summary>
    /// The same of YCCK, whose first three components became RGB: libjpeg takes them for complements of the inks, and the inversion takes
    /// that back.
    /// </summary>
    /// <param name="cmyk">[black.Length, 4].</param>
    public static void WithBlack(ReadOnlySpan<byte> rgb, ReadOnlySpan<byte> black, Span<byte> cmyk)
    {
        for (var x = 0; x < black.Length; x++)
        {
            rgb.Slice(3 * x, 3).CopyTo(cmyk[(4 * x)..]);
            cmyk[4 * x + 3] = (byte)~black[x];
        }
    }

    /// <param name="rgb">[luma.Length, 3].</param>
    public static void ToRgb(ReadOnlySpan<byte> luma, ReadOnlySpan<byte> blue, ReadOnlySpan<byte> red, Span<byte> rgb)
    {
        var x = Avx2.IsSupported ? ToRgbAvx2(luma, blue, red, rgb) : 0;
        for (; x < luma.Length; x++)
        {
            var (cb, cr) = (blue[x] - 128, red[x] - 128);
            rgb[3 * x] = Clip(luma[x] + cr + ((RedCr * cr + 32768) >> 16));
            rgb[3 * x + 1] = Clip(luma[x] - cr + ((GreenCb * cb + GreenCr * cr + 32768) >> 16));
            rgb[3 * x + 2] = Clip(luma[x] + 2 * cb + ((BlueCb * cb + 32768) >> 16));
        }
    }

    private static byte Clip(int value) => (byte)Math.Clamp(value, 0, 255);

    private static int ToRgbAvx2(ReadOnlySpan<byte> luma, ReadOnlySpan<byte> blue, ReadOnlySpan<byte> red, Span<byte> rgb)
    {
        ref var lumas = ref MemoryMarshal.GetReference(luma);
        ref var blues = ref MemoryMarshal.GetReference(blue);
        ref var reds = ref MemoryMarshal.GetReference(red);
        ref var target = ref MemoryMarshal.GetReference(rgb);
        var middle = Vector256.Create((short)128);
        var x = 0;
        for (; x + 16 <= luma.Length; x += 16)
        {
            var y = Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref lumas, (nuint)x));
            var cb = Avx2.Subtract(Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref blues, (nuint)x)), middle);
            var cr = Avx2.Subtract(Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref reds, (nuint)x)), middle);
            var (low, high) = (Avx2.UnpackLow(cb, cr), Avx2.UnpackHigh(cb, cr));
            var r = Bytes(Avx2.Add(Avx2.Add(y, cr), Weigh(low, high, 0, RedCr)));
            var g = Bytes(Avx2.Add(Avx2.Subtract(y, cr), Weigh(low, high, GreenCb, GreenCr)));
            var b = Bytes(Avx2.Add(Avx2.Add(y, Avx2.Add(cb, cb)), Weigh(low, high, BlueCb, 0)));
            Store(r, g, b, ref Unsafe.Add(ref target, 3 * x));
        }

        return x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Weigh(Vector256<short> low, Vector256<short> high, int cb, int cr)
    {
        var weights = Vector256.Create((cb & 0xFFFF) | (cr << 16)).AsInt16();
        var half = Vector256.Create(32768);
        return Avx2.PackSignedSaturate(
            Avx2.ShiftRightArithmetic(Avx2.Add(Avx2.MultiplyAddAdjacent(low, weights), half), 16),
            Avx2.ShiftRightArithmetic(Avx2.Add(Avx2.MultiplyAddAdjacent(high, weights), half), 16)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Bytes(Vector256<short> values) => Sse2.PackUnsignedSaturate(values.GetLower(), values.GetUpper());

    /// <summary>Writes 16 pixels as r g b r g b …</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> r, Vector128<byte> g, Vector128<byte> b, ref byte target)
    {
        const byte none = 0x80;
        var first =
            Ssse3.Shuffle(r, Vector128.Create(0, none, none, 1, none, none, 2, none, none, 3, none, none, 4, none, none, 5))
            | Ssse3.Shuffle(g, Vector128.Create(none, 0, none, none, 1, none, none, 2, none, none, 3, none, none, 4, none, none))
            | Ssse3.Shuffle(b, Vector128.Create(none, none, 0, none, none, 1, none, none, 2, none, none, 3, none, none, 4, none));
        var second =
            Ssse3.Shuffle(r, Vector128.Create(none, none, 6, none, none, 7, none, none, 8, none, none, 9, none, none, 10, none))
            | Ssse3.Shuffle(g, Vector128.Create(5, none, none, 6, none, none, 7, none, none, 8, none, none, 9, none, none, 10))
            | Ssse3.Shuffle(b, Vector128.Create(none, 5, none, none, 6, none, none, 7, none, none, 8, none, none, 9, none, none));
        var third =
            Ssse3.Shuffle(r, Vector128.Create(none, 11, none, none, 12, none, none, 13, none, none, 14, none, none, 15, none, none))
            | Ssse3.Shuffle(g, Vector128.Create(none, none, 11, none, none, 12, none, none, 13, none, none, 14, none, none, 15, none))
            | Ssse3.Shuffle(b, Vector128.Create(10, none, none, 11, none, none, 12, none, none, 13, none, none, 14, none, none, 15));
        first.StoreUnsafe(ref target);
        second.StoreUnsafe(ref target, 16);
        third.StoreUnsafe(ref target, 32);
    }
}
