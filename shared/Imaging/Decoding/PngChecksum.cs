namespace ClipSae.Imaging.Decoding;

/// <summary>The CRC-32 of PNG chunks (ISO 3309).</summary>
internal static class PngChecksum
{
    private static readonly uint[] Table = Build();

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc = Table[(crc ^ value) & 255] ^ (crc >> 8);
        }

        return ~crc;
    }

    private static uint[] Build()
    {
        var table = new uint[256];
        for (var value = 0u; value < 256; value++)
        {
            var crc = value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : 0xEDB88320 ^ (crc >> 1);
            }

            table[value] = crc;
        }

        return table;
    }
}
