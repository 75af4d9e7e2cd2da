using System.Buffers.Binary;
using System.Text;

namespace ClipSae.Tensors.Torch;

/// <summary>
/// Where the entries of a zip archive are. Only what PyTorch writes is needed: entries are stored, not compressed (only the code
/// of TorchScript is, which nobody reads here), so that tensors can be taken straight out of the mapped file.
/// </summary>
internal static class ZipDirectory
{
    private const uint LocalHeader = 0x04034b50;
    private const uint CentralHeader = 0x02014b50;
    private const uint End = 0x06054b50;
    private const uint End64 = 0x06064b50;
    private const uint Locator64 = 0x07064b50;
    private const uint Descriptor = 0x08074b50;
    private const int EndSize = 22;
    private const int End64Size = 56;
    private const int LocatorSize = 20;
    private const int CentralSize = 46;
    private const int LocalSize = 30;

    /// <summary>Reads the directory; every offset in it is checked against the length of the file.</summary>
    /// <exception cref="Contracts.UserErrorException">The archive is truncated, or contradicts itself.</exception>
    public static IReadOnlyDictionary<string, ZipEntry> Read(MappedBytes file)
    {
        var (count, directory) = FindDirectory(file);
        var offset = directory;
        var found = new List<(ZipEntry Entry, long Start, long Stored)>();
        for (long i = 0; i < count; i++)
        {
            var header = file.Span(offset, CentralSize);
            if (U32(header, 0) != CentralHeader)
            {
                throw file.Refuse(offset, "an entry of the zip directory is missing");
            }

            int nameLength = U16(header, 28),
                extraLength = U16(header, 30);
            var name = Encoding.UTF8.GetString(file.Span(offset + CentralSize, nameLength));
            long stored = U32(header, 20),
                length = U32(header, 24),
                start = U32(header, 42);
            Widen(file, offset + CentralSize + nameLength, extraLength, ref length, ref stored, ref start);
            var compressed = U16(header, 10) != 0 || (U16(header, 8) & 1) != 0;
            if (!compressed && stored != length)
            {
                throw file.Refuse(offset, $"entry '{name}' takes {stored} bytes for {length}");
            }

            found.Add(
                (
                    new ZipEntry(name, DataOffset(file, start, stored, name), compressed ? -1 : length, U32(header, 16), IsTight: false),
                    start,
                    stored
                )
            );
            offset += CentralSize + nameLength + extraLength + U16(header, 32);
        }

        return Placed(file, found, directory);
    }

    // An entry whose headers are damaged has its content elsewhere, and leaves a gap or an overlap.
    private static Dictionary<string, ZipEntry> Placed(
        MappedBytes file,
        List<(ZipEntry Entry, long Start, long Stored)> found,
        long directory
    )
    {
        var entries = new Dictionary<string, ZipEntry>(StringComparer.Ordinal);
        var inOrder = found.OrderBy(entry => entry.Start).ToList();
        foreach (var ((entry, start, stored), next) in inOrder.Zip(inOrder.Skip(1).Select(entry => entry.Start).Append(directory)))
        {
            if (!entries.TryAdd(entry.Name, entry with { IsTight = IsTight(file, entry, start, stored, next) }))
            {
                throw file.Refuse(start, $"entry '{entry.Name}' appears twice");
            }
        }

        return entries;
    }

    private static bool IsTight(MappedBytes file, ZipEntry entry, long start, long stored, long next)
    {
        const int SizesFollow = 8;
        var local = file.Span(start, LocalSize);
        var gap = next - entry.Offset - stored;
        if (!file.Span(start + LocalSize, U16(local, 26)).SequenceEqual(Encoding.UTF8.GetBytes(entry.Name)))
        {
            return false;
        }

        // miniz, which PyTorch writes with, repeats checksum and sizes behind the content, the sizes in 32 or in 64 bits.
        return (U16(local, 6) & SizesFollow) == 0
            ? gap == 0 && U32(local, 14) == entry.Crc
            : gap is 16 or 24 && file.Span(next - gap, gap) is var behind && U32(behind, 0) == Descriptor && U32(behind, 4) == entry.Crc;
    }

    private static (long Count, long Offset) FindDirectory(MappedBytes file)
    {
        // The end record is last but for a comment of at most 65,535 bytes.
        var tail = Math.Min(file.Length, EndSize + ushort.MaxValue);
        var bytes = file.Span(file.Length - tail, tail);
        for (var at = (int)tail - EndSize; at >= 0; at--)
        {
            if (U32(bytes, at) == End)
            {
                return Directory(file, file.Length - tail + at, bytes[at..]);
            }
        }

        throw file.Refuse(file.Length, "the end of the zip archive is missing; the file is truncated");
    }

    private static (long Count, long Offset) Directory(MappedBytes file, long at, ReadOnlySpan<byte> end)
    {
        long count = U16(end, 10),
            offset = U32(end, 16);
        if (at >= LocatorSize && U32(file.Span(at - LocatorSize, LocatorSize), 0) == Locator64)
        {
            var wide = U64(file.Span(at - LocatorSize, LocatorSize), 8);
            var end64 = file.Span(wide, End64Size);
            if (U32(end64, 0) != End64)
            {
                throw file.Refuse(wide, "the zip64 end record is missing");
            }

            (count, offset) = (U64(end64, 32), U64(end64, 48));
        }

        return count >= 0 && offset >= 0 && offset <= file.Length && count <= (file.Length - offset) / CentralSize
            ? (count, offset)
            : throw file.Refuse(at, $"the zip archive claims {count} entries at byte {offset}, but is {file.Length} bytes long");
    }

    // Zip64: fields that do not fit 32 bits are all ones and stand in the extra field 1, in this order.
    private static void Widen(MappedBytes file, long at, int extraLength, ref long length, ref long stored, ref long start)
    {
        var extra = file.Span(at, extraLength);
        while (extra.Length >= 4)
        {
            var size = Math.Min(U16(extra, 2), extra.Length - 4);
            if (U16(extra, 0) == 1)
            {
                var body = extra.Slice(4, size);
                TakeIfWide(ref length, ref body);
                TakeIfWide(ref stored, ref body);
                TakeIfWide(ref start, ref body);
            }

            extra = extra[(4 + size)..];
        }
    }

    private static void TakeIfWide(ref long field, ref ReadOnlySpan<byte> body)
    {
        if (field == uint.MaxValue && body.Length >= 8)
        {
            field = U64(body, 0);
            body = body[8..];
        }
    }

    private static long DataOffset(MappedBytes file, long start, long stored, string name)
    {
        var local = file.Span(start, LocalSize);
        var data = start + LocalSize + U16(local, 26) + U16(local, 28);
        return U32(local, 0) == LocalHeader && stored >= 0 && data <= file.Length - stored
            ? data
            : throw file.Refuse(start, $"entry '{name}' claims {stored} bytes that are missing");
    }

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
