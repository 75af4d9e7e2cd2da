namespace ClipSae.Imaging.Jpeg;

/// <summary>
/// A Huffman table laid out for look-up by the next bits of the stream (ITU T.81, annex C and F.2.2.3). Where code and value fit into the
/// looked-up bits together, one look-up gives run, value and length.
/// </summary>
internal sealed class JpegHuffmanTable
{
    /// <summary>Bits looked up at once: most codes with their values fit, and the tables stay in the first-level cache.</summary>
    public const int LookupBits = 10;

    private readonly int[] _longest = new int[18];
    private readonly int[] _offset = new int[17];
    private readonly byte[] _symbols = new byte[256];

    /// <summary>
    /// By the next bits: value in the upper 16 bits, run in bits 8–15, whole length in bits 0–7 (0 when the value does not fit).
    /// </summary>
    public int[] Fast { get; } = new int[1 << LookupBits];

    /// <summary>By the next bits: symbol in the upper bits, length of the code in bits 0–7 (0 when the code is longer).</summary>
    public int[] Codes { get; } = new int[1 << LookupBits];

    /// <param name="counts">Codes of each length, 1 to 16.</param>
    /// <param name="symbols">The symbols in order of their codes.</param>
    /// <returns>Null where the lengths make no prefix code.</returns>
    public static JpegHuffmanTable? Build(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        var table = new JpegHuffmanTable();
        symbols.CopyTo(table._symbols);
        for (int length = 1, code = 0, place = 0; length <= 16; length++, code <<= 1)
        {
            table._offset[length] = place - code;
            for (var left = counts[length - 1]; left > 0; left--, code++, place++)
            {
                if (code >= 1 << length)
                {
                    return null;
                }

                table.Enter(code, length, symbols[place]);
            }

            // Largest code of this length, left-aligned in 16 bits, plus one: longer codes compare at or above it.
            table._longest[length] = code << (16 - length);
        }

        table._longest[17] = int.MaxValue;
        return table;
    }

    /// <summary>Finds a code longer than the look-up.</summary>
    /// <param name="next">The next 16 bits.</param>
    /// <returns>Symbol and length; length 17 where no code matches.</returns>
    public (int Symbol, int Length) Find(int next)
    {
        var length = LookupBits + 1;
        while (next >= _longest[length])
        {
            length++;
        }

        return length > 16 ? (0, 17) : (_symbols[((next >> (16 - length)) + _offset[length]) & 255], length);
    }

    private void Enter(int code, int length, byte symbol)
    {
        if (length > LookupBits)
        {
            return;
        }

        var free = LookupBits - length;
        var size = symbol & 15;
        for (var rest = 0; rest < 1 << free; rest++)
        {
            var index = (code << free) | rest;
            Codes[index] = (symbol << 8) | length;
            if (size > 0 && size <= free)
            {
                var value = rest >> (free - size);
                value -= value < 1 << (size - 1) ? (1 << size) - 1 : 0;
                Fast[index] = (value << 16) | ((symbol >> 4) << 8) | (length + size);
            }
        }
    }
}
