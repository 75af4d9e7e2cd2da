using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ClipSae.Imaging.Jpeg;

/// <summary>Reads bits from entropy-coded data whose stuffed zeros were taken out; the buffer has slack behind its end.</summary>
internal ref struct JpegBits(ReadOnlySpan<byte> data, int start)
{
    private readonly ref byte _data = ref MemoryMarshal.GetReference(data);
    private ulong _bits;
    private int _count;
    private int _next = start;

    /// <summary>Bits consumed, from the start of the buffer.</summary>
    public readonly long Position => (long)_next * 8 - _count;

    /// <summary>The next bits, left-aligned.</summary>
    public readonly ulong Window => _bits;

    /// <summary>Makes at least 56 bits available: enough for a code of 16 and a value of 15, and more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Refill()
    {
        var more = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref _data, _next));
        _bits |= BinaryPrimitives.ReverseEndianness(more) >> _count;
        _next += (63 - _count) >> 3;
        _count |= 56;
    }

    public readonly bool NeedsRefill
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _count < 32;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int length)
    {
        _bits <<= length;
        _count -= length;
    }

    /// <summary>Reads a value of <paramref name="size"/> bits, 1 to 15, and extends its sign (ITU T.81, F.2.2.1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Receive(int size)
    {
        var value = (int)(_bits >> (64 - size));
        Skip(size);
        return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
    }
}
