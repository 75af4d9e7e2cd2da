using System.Buffers.Binary;

namespace ClipSae.Imaging.Decoding;

/// <summary>What the header of a Windows bitmap says of its palette.</summary>
internal static class BitmapHeader
{
    private const int FileHeader = 14;

    /// <summary>
    /// Whether a file is a bitmap that Pillow keeps as palette or as black and white. A palette that counts up in grey is none to Pillow,
    /// unless it has two colours.
    /// </summary>
    public static bool IsIndexed(ReadOnlySpan<byte> file)
    {
        if (file.Length < FileHeader + 40 || !file.StartsWith("BM"u8))
        {
            return false;
        }

        var size = BinaryPrimitives.ReadInt32LittleEndian(file[FileHeader..]);
        var (bitsPlace, step) = size == 12 ? (FileHeader + 10, 3) : (FileHeader + 14, 4);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(file[bitsPlace..]);
        if (bits > 8 || size < 12 || size > file.Length)
        {
            return false;
        }

        var stated = size >= 36 ? BinaryPrimitives.ReadInt32LittleEndian(file[(FileHeader + 32)..]) : 0;
        var colours = stated is > 0 and <= 256 ? stated : 1 << bits;
        var palette = file[Math.Min(file.Length, FileHeader + size)..];
        for (var i = 0; i < colours && (i + 1) * step <= palette.Length && colours != 2; i++)
        {
            if (palette[i * step] != i || palette[i * step + 1] != i || palette[i * step + 2] != i)
            {
                return true;
            }
        }

        return colours == 2;
    }
}
