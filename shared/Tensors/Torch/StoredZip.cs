using System.Buffers.Binary;
using System.Text;

namespace ClipSae.Tensors.Torch;

/// <summary>
/// Writes a zip archive as PyTorch lays it out: entries stored, their data at multiples of 64 bytes, so that it can be mapped. Times are
/// fixed, so that equal content gives equal bytes. Offsets beyond 4 GiB are written as zip64.
/// </summary>
internal sealed class StoredZip(Stream stream)
{
    private const int Alignment = 64;
    private const int LocalSize = 30;
    private const ushort FirstOfJanuary1980 = 0x21;
    private const ushort NamesAreUtf8 = 0x800;

    private readonly List<(byte[] Name, uint Crc, uint Length, long Offset)> _entries = [];
    private long _position;

    /// <summary>Adds an entry whose content the caller then writes with <see cref="Append"/>.</summary>
    /// <param name="crc">CRC-32 of the content.</param>
    public void Begin(string name, uint crc, long length)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        // The extra field "FB" that PyTorch pads with needs four bytes of its own.
        var data = _position + LocalSize + bytes.Length + 4;
        var padding = (int)((Alignment - (data % Alignment)) % Alignment);
        var header = new byte[LocalSize + bytes.Length + 4 + padding];
        _entries.Add((bytes, crc, checked((uint)length), _position));
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x04034b50);
        WriteFields(header.AsSpan(4), crc, (uint)length, bytes.Length);
        Put16(header, 28, 4 + padding);
        bytes.CopyTo(header, LocalSize);
        var extra = header.AsSpan(LocalSize + bytes.Length);
        "FB"u8.CopyTo(extra);
        Put16(extra, 2, padding);
        extra[4..].Fill((byte)'Z');
        Append(header);
    }

    public void Append(ReadOnlySpan<byte> content)
    {
        stream.Write(content);
        _position += content.Length;
    }

    /// <summary>Writes the directory.</summary>
    public void End()
    {
        var start = _position;
        foreach (var (name, crc, length, offset) in _entries)
        {
            var wide = offset >= uint.MaxValue;
            var header = new byte[46 + name.Length + (wide ? 12 : 0)];
            BinaryPrimitives.WriteUInt32LittleEndian(header, 0x02014b50);
            Put16(header, 4, wide ? 45 : 0);
            WriteFields(header.AsSpan(6), crc, length, name.Length);
            Put16(header, 30, wide ? 12 : 0);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(42), wide ? uint.MaxValue : (uint)offset);
            name.CopyTo(header, 46);
            if (wide)
            {
                Put16(header, 46 + name.Length, 1);
                Put16(header, 48 + name.Length, 8);
                BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(50 + name.Length), offset);
            }

            Append(header);
        }

        WriteEnd(start, _position - start);
    }

    private void WriteEnd(long start, long length)
    {
        if (start >= uint.MaxValue || _entries.Count >= ushort.MaxValue)
        {
            var (at, wide) = (_position, new byte[56 + 20]);
            BinaryPrimitives.WriteUInt32LittleEndian(wide, 0x06064b50);
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(4), 44);
            Put16(wide, 12, 45);
            Put16(wide, 14, 45);
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(24), _entries.Count);
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(32), _entries.Count);
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(40), length);
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(48), start);
            BinaryPrimitives.WriteUInt32LittleEndian(wide.AsSpan(56), 0x07064b50);
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(64), at);
            BinaryPrimitives.WriteInt32LittleEndian(wide.AsSpan(72), 1);
            Append(wide);
        }

        var end = new byte[22];
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        Put16(end, 8, Math.Min(_entries.Count, ushort.MaxValue));
        Put16(end, 10, Math.Min(_entries.Count, ushort.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(12), checked((uint)length));
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(16), (uint)Math.Min(start, uint.MaxValue));
        Append(end);
    }

    // From "version needed" to "length of the name": the same in local and central headers.
    private static void WriteFields(Span<byte> fields, uint crc, uint length, int nameLength)
    {
        Put16(fields, 2, NamesAreUtf8);
        Put16(fields, 8, FirstOfJanuary1980);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[10..], crc);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[14..], length);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[18..], length);
        Put16(fields, 22, nameLength);
    }

    private static void Put16(Span<byte> bytes, int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes[at..], (ushort)value);
}
