using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace ClipSae.ObjectStorage;

/// <summary>
/// MD5 of several sections of a file at once, one in each lane of a vector register. One section alone is a chain of dependent
/// additions that no processor does quicker than about 1 GB/s; sixteen next to each other take not much longer than one.
/// </summary>
/// <remarks>
/// Source: RFC 1321. The digest is what S3 servers check on arrival (<c>Content-MD5</c>): it finds errors of the transfer and keeps no
/// forger away. Those are kept away by the artifact's SHA-256, which every reader verifies.
/// </remarks>
internal static class Md5Lanes
{
    /// <summary>Sections that are digested at once.</summary>
    public const int Count = 16;

    // Below so many sections one after another is quicker: all lanes cost what one costs.
    private const int Worthwhile = 4;

    private const int Block = 64;
    private const int WordsOfBlock = 16;
    private const int ChunkOfLane = 32 << 10; // sixteen of them stay in a core's own cache

    // RFC 1321, 3.4: the integer part of 2^32 · |sin(i + 1)|, i in radians.
    private static readonly uint[] Sines = [.. Enumerable.Range(1, 64).Select(i => (uint)(Math.Abs(Math.Sin(i)) * 4294967296.0))];

    /// <summary>Digests of sections of equal length.</summary>
    /// <param name="starts">Where they begin: 1 to <see cref="Count"/> places.</param>
    /// <param name="length">Bytes of each.</param>
    /// <returns>16 bytes for each section.</returns>
    /// <exception cref="EndOfStreamException">The file ends before a section does.</exception>
    public static byte[][] OfSections(SafeFileHandle file, ReadOnlySpan<long> starts, long length, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(starts.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(starts.Length, Count);
        return starts.Length < Worthwhile ? OneByOne(file, starts, length, cancel) : Together(file, starts, length, cancel);
    }

    private static byte[][] OneByOne(SafeFileHandle file, ReadOnlySpan<long> starts, long length, CancellationToken cancel)
    {
        var digests = new byte[starts.Length][];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        var buffer = ArrayPool<byte>.Shared.Rent(Count * ChunkOfLane);
        try
        {
            for (var section = 0; section < digests.Length; section++)
            {
                for (long done = 0; done < length; done += buffer.Length)
                {
                    cancel.ThrowIfCancellationRequested();
                    var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done));
                    Read(file, piece, starts[section] + done);
                    hash.AppendData(piece);
                }

                digests[section] = hash.GetHashAndReset();
            }

            return digests;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[][] Together(SafeFileHandle file, ReadOnlySpan<long> starts, long length, CancellationToken cancel)
    {
        var state = new State();
        var buffer = ArrayPool<byte>.Shared.Rent(Count * ChunkOfLane);
        try
        {
            for (long done = 0; done <= length; done += ChunkOfLane)
            {
                cancel.ThrowIfCancellationRequested();
                var bytes = (int)Math.Min(ChunkOfLane, length - done);
                for (var lane = 0; lane < starts.Length; lane++)
                {
                    Read(file, buffer.AsSpan(lane * ChunkOfLane, bytes), starts[lane] + done);
                }

                // Lanes without a section digest whatever their memory holds: nobody asks for it.
                for (var at = 0; at + Block <= bytes; at += Block)
                {
                    state.Add(buffer, at);
                }

                if (bytes < ChunkOfLane)
                {
                    Finish(ref state, buffer, bytes % Block, bytes / Block * Block, length, starts.Length);
                }
            }

            return state.Digests(starts.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // RFC 1321, 3.1 and 3.2: a one, zeros, and the length in bits, to the end of a block.
    private static void Finish(ref State state, byte[] buffer, int rest, int from, long length, int lanes)
    {
        var padded = rest + 1 + sizeof(long) <= Block ? Block : 2 * Block;
        for (var lane = 0; lane < lanes; lane++)
        {
            var whole = buffer.AsSpan(lane * ChunkOfLane);
            whole.Slice(from, rest).CopyTo(whole);
            whole[rest..padded].Clear();
            whole[rest] = 0x80;
            BinaryPrimitives.WriteInt64LittleEndian(whole[(padded - sizeof(long))..], length << 3);
        }

        for (var at = 0; at < padded; at += Block)
        {
            state.Add(buffer, at);
        }
    }

    private static void Read(SafeFileHandle file, Span<byte> target, long at)
    {
        while (!target.IsEmpty)
        {
            var read = RandomAccess.Read(file, target, at);
            target = read > 0 ? target[read..] : throw new EndOfStreamException();
            at += read;
        }
    }

    /// <summary>The four words of each lane's digest (RFC 1321, 3.3).</summary>
    private struct State()
    {
        private Vector512<uint> _a = Vector512.Create(0x67452301u);
        private Vector512<uint> _b = Vector512.Create(0xefcdab89u);
        private Vector512<uint> _c = Vector512.Create(0x98badcfeu);
        private Vector512<uint> _d = Vector512.Create(0x10325476u);

        /// <summary>One block of each lane (RFC 1321, 3.4).</summary>
        public void Add(byte[] buffer, int at)
        {
            Span<Vector512<uint>> words = stackalloc Vector512<uint>[WordsOfBlock];
            Gather(buffer, at, words);
            var (a, b, c, d) = (_a, _b, _c, _d);
            for (var i = 0; i < 16; i += 4)
            {
                a = Step((b & c) | Vector512.AndNot(d, b), a, b, words[i], i, 7);
                d = Step((a & b) | Vector512.AndNot(c, a), d, a, words[i + 1], i + 1, 12);
                c = Step((d & a) | Vector512.AndNot(b, d), c, d, words[i + 2], i + 2, 17);
                b = Step((c & d) | Vector512.AndNot(a, c), b, c, words[i + 3], i + 3, 22);
            }

            for (var i = 16; i < 32; i += 4)
            {
                a = Step((d & b) | Vector512.AndNot(c, d), a, b, words[((5 * i) + 1) % 16], i, 5);
                d = Step((c & a) | Vector512.AndNot(b, c), d, a, words[((5 * i) + 6) % 16], i + 1, 9);
                c = Step((b & d) | Vector512.AndNot(a, b), c, d, words[((5 * i) + 11) % 16], i + 2, 14);
                b = Step((a & c) | Vector512.AndNot(d, a), b, c, words[5 * i % 16], i + 3, 20);
            }

            for (var i = 32; i < 48; i += 4)
            {
                a = Step(b ^ c ^ d, a, b, words[((3 * i) + 5) % 16], i, 4);
                d = Step(a ^ b ^ c, d, a, words[((3 * i) + 8) % 16], i + 1, 11);
                c = Step(d ^ a ^ b, c, d, words[((3 * i) + 11) % 16], i + 2, 16);
                b = Step(c ^ d ^ a, b, c, words[((3 * i) + 14) % 16], i + 3, 23);
            }

            for (var i = 48; i < 64; i += 4)
            {
                a = Step(c ^ (b | ~d), a, b, words[7 * i % 16], i, 6);
                d = Step(b ^ (a | ~c), d, a, words[((7 * i) + 7) % 16], i + 1, 10);
                c = Step(a ^ (d | ~b), c, d, words[((7 * i) + 14) % 16], i + 2, 15);
                b = Step(d ^ (c | ~a), b, c, words[((7 * i) + 21) % 16], i + 3, 21);
            }

            (_a, _b, _c, _d) = (_a + a, _b + b, _c + c, _d + d);
        }

        public readonly byte[][] Digests(int lanes)
        {
            var digests = new byte[lanes][];
            for (var lane = 0; lane < lanes; lane++)
            {
                digests[lane] = new byte[16];
                var words = MemoryMarshal.Cast<byte, uint>(digests[lane].AsSpan());
                (words[0], words[1], words[2], words[3]) = (_a[lane], _b[lane], _c[lane], _d[lane]);
            }

            return digests;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<uint> Step(
            Vector512<uint> mixed,
            Vector512<uint> turned,
            Vector512<uint> added,
            Vector512<uint> word,
            int step,
            [ConstantExpected] byte by
        )
        {
            var sum = turned + mixed + word + Vector512.Create(Sines[step]);
            return added + (Avx512F.IsSupported ? Avx512F.RotateLeft(sum, by) : (sum << by) | (sum >>> (32 - by)));
        }

        // Word i of every lane next to each other.
        private static void Gather(byte[] buffer, int at, Span<Vector512<uint>> words)
        {
            var chunks = MemoryMarshal.Cast<byte, uint>(buffer.AsSpan(at, ((Count - 1) * ChunkOfLane) + Block));
            for (var i = 0; i < WordsOfBlock; i++)
            {
                ref var first = ref chunks[i];
                words[i] = Vector512.Create(
                    first,
                    Of(ref first, 1),
                    Of(ref first, 2),
                    Of(ref first, 3),
                    Of(ref first, 4),
                    Of(ref first, 5),
                    Of(ref first, 6),
                    Of(ref first, 7),
                    Of(ref first, 8),
                    Of(ref first, 9),
                    Of(ref first, 10),
                    Of(ref first, 11),
                    Of(ref first, 12),
                    Of(ref first, 13),
                    Of(ref first, 14),
                    Of(ref first, 15)
                );
            }

            // The span above holds all of them: no need to look at its end for each word.
            static uint Of(ref uint first, int lane) => Unsafe.Add(ref first, lane * (ChunkOfLane / sizeof(uint)));
        }
    }
}
