using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>How many values of tensors are NaN or infinite. It is counted while they are read; several threads may do so.</summary>
public sealed class NonFiniteValues
{
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>Count by name, of tensors that have such values.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Counts those of a tensor, which must be contiguous and in the processor's memory.</summary>
    public unsafe void Count(string name, torch.Tensor tensor)
    {
        const long Chunk = 1L << 24;
        if (tensor.NumberOfElements == 0)
        {
            return;
        }

        var start = (byte*)LargePages.Address(tensor);
        var length = tensor.NumberOfElements * tensor.ElementSize;
        for (long done = 0; done < length; done += Chunk)
        {
            Count(name, new ReadOnlySpan<byte>(start + done, (int)Math.Min(Chunk, length - done)), tensor.dtype);
        }
    }

    /// <summary>Counts those of some whole elements; types that have none are passed over.</summary>
    internal void Count(string name, ReadOnlySpan<byte> elements, torch.ScalarType type)
    {
        // Of both, all bits of the exponent are set.
        var count = type switch
        {
            torch.ScalarType.Float32 => Matching(MemoryMarshal.Cast<byte, uint>(elements), 0x7f80_0000u),
            torch.ScalarType.Float16 => Matching(MemoryMarshal.Cast<byte, ushort>(elements), (ushort)0x7c00),
            torch.ScalarType.BFloat16 => Matching(MemoryMarshal.Cast<byte, ushort>(elements), (ushort)0x7f80),
            torch.ScalarType.Float64 => Matching(MemoryMarshal.Cast<byte, ulong>(elements), 0x7ff0_0000_0000_0000ul),
            _ => 0,
        };
        if (count > 0)
        {
            _counts.AddOrUpdate(name, count, (_, before) => before + count);
        }
    }

    // Most processes load once: at the runtime's first, quick translation this takes six times as long, and a fifth longer for the whole
    // load.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe long Matching<T>(ReadOnlySpan<T> bits, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        // Without the sign, a value that is not finite is at least the exponent's own bits: the largest of all says whether there is one.
        // Four running maxima, so that none waits for the one before, and plain pointers, since a span's checks take twice as long as the
        // rest.
        var (magnitude, least) = (new Vector<T>(exponent | ((exponent & (T.Zero - exponent)) - T.One)), new Vector<T>(exponent));
        var (a, b, c, d) = (Vector<T>.Zero, Vector<T>.Zero, Vector<T>.Zero, Vector<T>.Zero);
        var step = 4 * Vector<T>.Count;
        var whole = bits.Length / step * step;
        fixed (T* first = bits)
        {
            for (var at = first; at < first + whole; at += step)
            {
                a = Vector.Max(a, Vector.Load(at) & magnitude);
                b = Vector.Max(b, Vector.Load(at + Vector<T>.Count) & magnitude);
                c = Vector.Max(c, Vector.Load(at + (2 * Vector<T>.Count)) & magnitude);
                d = Vector.Max(d, Vector.Load(at + (3 * Vector<T>.Count)) & magnitude);
            }
        }

        long count = 0;
        foreach (var one in Vector.LessThanAll(Vector.Max(Vector.Max(a, b), Vector.Max(c, d)), least) ? bits[whole..] : bits)
        {
            count += (one & exponent) == exponent ? 1 : 0;
        }

        return count;
    }
}
