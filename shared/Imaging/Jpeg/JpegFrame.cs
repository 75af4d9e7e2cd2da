using System.Buffers.Binary;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Jpeg;

/// <summary>
/// The headers of a JPEG file up to its scan, for the files that this decoder takes: baseline, 8 bits, one scan, grey, YCbCr, YCCK or CMYK,
/// with chroma at full, half-width or quarter size. Anything else is left to the general decoder.
/// </summary>
internal sealed class JpegFrame
{
    /// <summary>Zigzag order (ITU T.81, figure A.6), then entries that runs past the end of a damaged block fall on.</summary>
    public static readonly byte[] Zigzag =
    [
        0,
        1,
        8,
        16,
        9,
        2,
        3,
        10,
        17,
        24,
        32,
        25,
        18,
        11,
        4,
        5,
        12,
        19,
        26,
        33,
        40,
        48,
        41,
        34,
        27,
        20,
        13,
        6,
        7,
        14,
        21,
        28,
        35,
        42,
        49,
        56,
        57,
        50,
        43,
        36,
        29,
        22,
        15,
        23,
        30,
        37,
        44,
        51,
        58,
        59,
        52,
        45,
        38,
        31,
        39,
        46,
        53,
        60,
        61,
        54,
        47,
        55,
        62,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
        63,
    ];

    private readonly List<string> _applications = [];
    private int? _transform;

    public int Width { get; private set; }

    public int Height { get; private set; }

    public IReadOnlyList<JpegComponent> Components { get; private set; } = [];

    /// <summary>Quantization steps in natural order, by table.</summary>
    public short[]?[] Quantization { get; } = new short[4][];

    public JpegHuffmanTable?[] DcTables { get; } = new JpegHuffmanTable[4];

    public JpegHuffmanTable?[] AcTables { get; } = new JpegHuffmanTable[4];

    /// <summary>Minimum coded units between restart markers; 0 for none.</summary>
    public int RestartInterval { get; private set; }

    /// <summary>Where the entropy-coded data starts in the file.</summary>
    public int Scan { get; private set; }

    /// <summary>What the decoder gives of it.</summary>
    public PixelMode Mode => Components.Count == 4 ? PixelMode.Cmyk : PixelMode.Rgb;

    /// <summary>Whether the first three of four components are luma and chroma.</summary>
    public bool IsYcck => Components.Count == 4 && _transform == 2;

    public int MaxAcross => Components.Max(component => component.Across);

    public int MaxDown => Components.Max(component => component.Down);

    /// <returns>Null for files that the general decoder must take.</returns>
    public static JpegFrame? Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length < 4 || file[0] != 0xFF || file[1] != 0xD8)
        {
            return null;
        }

        var frame = new JpegFrame();
        for (var place = 2; place + 4 <= file.Length; )
        {
            var marker = file[place + 1];
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(place + 2)..]);
            if (file[place] != 0xFF || length < 2 || place + 2 + length > file.Length)
            {
                return null;
            }

            var body = file.Slice(place + 4, length - 2);
            place += 2 + length;
            if (!frame.Take(marker, body))
            {
                return null;
            }

            if (marker == 0xDA)
            {
                frame.Scan = place;
                return frame.IsComplete() ? frame : null;
            }
        }

        return null;
    }

    private bool Take(byte marker, ReadOnlySpan<byte> body)
    {
        switch (marker)
        {
            case 0xC0:
                return Components.Count == 0 && TakeFrame(body);
            case 0xC4:
                return TakeHuffman(body);
            case 0xDB:
                return TakeQuantization(body);
            case 0xDD:
                RestartInterval = body.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(body) : 0;
                return body.Length == 2;
            case 0xDA:
                return TakeScan(body);
            case 0xE0 when body.StartsWith("JFIF\0"u8):
                _applications.Add("JFIF");
                return true;
            case 0xEE when body.StartsWith("Adobe"u8):
                _transform = body.Length >= 12 ? body[11] : null;
                return _transform is not null;
            default:
                return marker is >= 0xE0 and <= 0xEF or 0xFE;
        }
    }

    private bool TakeFrame(ReadOnlySpan<byte> body)
    {
        if (body.Length < 6 || body[0] != 8 || body.Length != 6 + 3 * body[5] || body[5] is not (1 or 3 or 4))
        {
            return false;
        }

        Height = BinaryPrimitives.ReadUInt16BigEndian(body[1..]);
        Width = BinaryPrimitives.ReadUInt16BigEndian(body[3..]);
        var components = new JpegComponent[body[5]];
        for (var index = 0; index < components.Length; index++)
        {
            var (id, sampling, table) = (body[6 + 3 * index], body[7 + 3 * index], body[8 + 3 * index]);
            // A grey picture's units are single blocks whatever its sampling factors say.
            var (across, down) = components.Length == 1 ? (1, 1) : (sampling >> 4, sampling & 15);
            if (table > 3)
            {
                return false;
            }

            components[index] = new JpegComponent(id, across, down, table);
        }

        Components = components;
        return Width > 0 && Height > 0;
    }

    private bool TakeQuantization(ReadOnlySpan<byte> body)
    {
        for (; body.Length > 0; body = body[65..])
        {
            if (body.Length < 65 || body[0] > 3)
            {
                return false;
            }

            var steps = new short[64];
            for (var index = 0; index < 64; index++)
            {
                steps[Zigzag[index]] = body[1 + index];
            }

            Quantization[body[0]] = steps;
        }

        return true;
    }

    private bool TakeHuffman(ReadOnlySpan<byte> body)
    {
        while (body.Length >= 17)
        {
            var counts = body.Slice(1, 16);
            var symbols = 0;
            foreach (var count in counts)
            {
                symbols += count;
            }

            if (
                (body[0] & 0xEC) != 0
                || symbols > 256
                || body.Length < 17 + symbols
                || JpegHuffmanTable.Build(counts, body.Slice(17, symbols)) is not { } table
            )
            {
                return false;
            }

            (body[0] >> 4 == 0 ? DcTables : AcTables)[body[0] & 3] = table;
            body = body[(17 + symbols)..];
        }

        return body.Length == 0;
    }

    private bool TakeScan(ReadOnlySpan<byte> body)
    {
        var count = Components.Count;
        if (
            count == 0
            || body.Length != 4 + 2 * count
            || body[0] != count
            || body[1 + 2 * count] != 0
            || body[2 + 2 * count] != 63
            || body[3 + 2 * count] != 0
        )
        {
            return false;
        }

        for (var index = 0; index < count; index++)
        {
            var (id, tables) = (body[1 + 2 * index], body[2 + 2 * index]);
            if (id != Components[index].Id || (tables & 0xCC) != 0)
            {
                return false;
            }

            (Components[index].DcTable, Components[index].AcTable) = (tables >> 4, tables & 3);
        }

        return true;
    }

    private bool IsComplete()
    {
        if (
            Components.Any(component =>
                Quantization[component.Quantization] is null || DcTables[component.DcTable] is null || AcTables[component.AcTable] is null
            )
        )
        {
            return false;
        }

        // Adobe's transform: 1 is YCbCr, 2 is YCCK, 0 is RGB or CMYK as stored.
        if (Components.Count == 1)
        {
            return _transform is null or 1;
        }

        var (luma, blue, red) = (Components[0], Components[1], Components[2]);
        var isFull = Components.All(component => (component.Across, component.Down) == (1, 1));
        var isSubsampled =
            (blue.Across, blue.Down, red.Across, red.Down) == (1, 1, 1, 1) && (luma.Across, luma.Down) is (1, 1) or (2, 1) or (2, 2);
        if (Components.Count == 4)
        {
            var black = Components[3];
            return _transform is null or 0
                ? isFull
                : _transform == 2 && isSubsampled && (black.Across, black.Down) == (luma.Across, luma.Down);
        }

        // Without a JFIF header, identifiers spell RGB where the picture is so stored.
        var spellsRgb = _applications.Count == 0 && (luma.Id, blue.Id, red.Id) == ('R', 'G', 'B');
        return _transform is null or 1 && !spellsRgb && isSubsampled;
    }
}
