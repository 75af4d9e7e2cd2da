using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Decoding;

/// <summary>
/// Decodes the kinds of PNG that the general decoder cannot hand out as they are stored: palettes, one bit, alpha, 16 bits a sample. Every
/// other kind is its. Format: W3C PNG, third edition.
/// </summary>
internal sealed class PngDecoder
{
    private const int SignatureBytes = 8;

    // Left, top, step across, step down of the seven passes of an interlaced picture; the last stands for a plain one.
    private static readonly (int Left, int Top, int Across, int Down)[] Passes =
    [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
        (0, 0, 1, 1),
    ];

    // What a palette does not list is grey of its index, as Pillow has it.
    private readonly byte[] _palette = [.. Enumerable.Range(0, 3 * 256).Select(i => (byte)(i / 3))];
    private readonly MemoryStream _data = new();
    private int _width;
    private int _height;
    private int _depth;
    private int _colour;
    private bool _interlaced;

    private int Samples =>
        _colour switch
        {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };

    private PixelMode Mode =>
        (_colour, _depth) switch
        {
            (0, 16) => PixelMode.Deep,
            (2, _) => PixelMode.Rgb,
            (4 or 6, _) => PixelMode.Rgba,
            _ => PixelMode.Indexed,
        };

    /// <summary>Whether a file is a PNG of such a kind.</summary>
    public static bool Takes(ReadOnlySpan<byte> file) =>
        file.Length > 33
        && file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A])
        && file[12..].StartsWith("IHDR"u8)
        && (file[25], file[24]) is (0, 1 or 16) or (2, 16) or (3, 1 or 2 or 4 or 8) or (4 or 6, 8 or 16);

    /// <param name="file">A file that is taken, its size within the limits.</param>
    public static bool TryDecode(
        ReadOnlySpan<byte> file,
        [NotNullWhen(true)] out DecodedImage? picture,
        [NotNullWhen(false)] out string? problem
    )
    {
        var decoder = new PngDecoder();
        picture = null;
        problem = decoder.ReadChunks(file);
        if (problem is not null)
        {
            return false;
        }

        try
        {
            picture = decoder.ReadPixels();
            problem = picture is null ? "truncated" : null;
            return picture is not null;
        }
        catch (InvalidDataException)
        {
            problem = "damaged (its compressed data)";
            return false;
        }
    }

    private string? ReadChunks(ReadOnlySpan<byte> file)
    {
        for (var place = SignatureBytes; place + 12 <= file.Length; )
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file[place..]);
            if (length > int.MaxValue || place + 12 + (long)length > file.Length)
            {
                return "truncated";
            }

            var kind = file.Slice(place + 4, 4);
            // The lower case of a kind's first letter says that a picture can be read without it.
            if (
                (kind[0] & 0x20) == 0
                && PngChecksum.Of(file.Slice(place + 4, 4 + (int)length))
                    != BinaryPrimitives.ReadUInt32BigEndian(file[(place + 8 + (int)length)..])
            )
            {
                return "damaged (a checksum is wrong)";
            }

            if (kind.SequenceEqual("IEND"u8))
            {
                return null;
            }

            Take(kind, file.Slice(place + 8, (int)length));
            place += 12 + (int)length;
        }

        return "truncated";
    }

    private void Take(ReadOnlySpan<byte> kind, ReadOnlySpan<byte> body)
    {
        if (kind.SequenceEqual("IHDR"u8) && body.Length == 13)
        {
            (_width, _height) = (BinaryPrimitives.ReadInt32BigEndian(body), BinaryPrimitives.ReadInt32BigEndian(body[4..]));
            (_depth, _colour, _interlaced) = (body[8], body[9], body[12] == 1);
        }
        else if (kind.SequenceEqual("PLTE"u8))
        {
            body[..Math.Min(body.Length, _palette.Length)].CopyTo(_palette);
        }
        else if (kind.SequenceEqual("IDAT"u8))
        {
            _data.Write(body);
        }
    }

    private DecodedImage? ReadPixels()
    {
        var pixels = new byte[(long)_width * _height * DecodedImage.BytesOf(Mode)];
        _data.Position = 0;
        using var unpacked = new ZLibStream(_data, CompressionMode.Decompress);
        foreach (var (left, top, across, down) in _interlaced ? Passes.AsSpan(0, 7) : Passes.AsSpan(7))
        {
            var (columns, rows) = ((_width - left + across - 1) / across, (_height - top + down - 1) / down);
            if (columns <= 0 || rows <= 0)
            {
                continue;
            }

            var bytes = (int)(((long)columns * Samples * _depth + 7) / 8);
            var (line, before) = (new byte[bytes + 1], new byte[bytes + 1]);
            for (var row = 0; row < rows; row++)
            {
                if (unpacked.ReadAtLeast(line, line.Length, throwOnEndOfStream: false) < line.Length)
                {
                    return null;
                }

                Unfilter(line, before, Math.Max(1, Samples * _depth / 8));
                for (var column = 0; column < columns; column++)
                {
                    Put(line.AsSpan(1), column, pixels, (long)(top + row * down) * _width + left + column * across);
                }

                (line, before) = (before, line);
            }
        }

        return new DecodedImage(_width, _height, Mode, pixels);
    }

    private static void Unfilter(byte[] line, byte[] before, int step)
    {
        for (var i = 1; i < line.Length; i++)
        {
            var (left, up, corner) = i > step ? (line[i - step], before[i], before[i - step]) : (0, before[i], 0);
            line[i] += line[0] switch
            {
                0 => 0,
                1 => (byte)left,
                2 => (byte)up,
                3 => (byte)((left + up) / 2),
                4 => (byte)Paeth(left, up, corner),
                var filter => throw new InvalidDataException($"filter {filter}"),
            };
        }
    }

    private static int Paeth(int left, int up, int corner)
    {
        var (toLeft, toUp, toCorner) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - 2 * corner));
        return toLeft <= toUp && toLeft <= toCorner ? left
            : toUp <= toCorner ? up
            : corner;
    }

    // 16 bits are cut to 8 where Pillow cuts them: everywhere but in grey without alpha.
    private void Put(ReadOnlySpan<byte> line, int column, byte[] pixels, long pixel)
    {
        var step = _depth / 8;
        var from = column * Samples * step;
        switch (Mode)
        {
            case PixelMode.Deep:
                (pixels[2 * pixel], pixels[2 * pixel + 1]) = (line[from + 1], line[from]);
                break;
            case PixelMode.Rgb:
                (pixels[3 * pixel], pixels[3 * pixel + 1], pixels[3 * pixel + 2]) = (line[from], line[from + step], line[from + 2 * step]);
                break;
            case PixelMode.Rgba when _colour == 4:
                pixels[4 * pixel] = pixels[4 * pixel + 1] = pixels[4 * pixel + 2] = line[from];
                pixels[4 * pixel + 3] = line[from + step];
                break;
            case PixelMode.Rgba:
                (pixels[4 * pixel], pixels[4 * pixel + 1]) = (line[from], line[from + step]);
                (pixels[4 * pixel + 2], pixels[4 * pixel + 3]) = (line[from + 2 * step], line[from + 3 * step]);
                break;
            default:
                var bit = column * _depth;
                var index = (line[bit / 8] >> (8 - _depth - bit % 8)) & ((1 << _depth) - 1);
                var colour =
                    _colour == 3 ? _palette.AsSpan(3 * index, 3)
                    : index == 1 ? [255, 255, 255]
                    : (ReadOnlySpan<byte>)[0, 0, 0];
                colour.CopyTo(pixels.AsSpan((int)(3 * pixel)));
                break;
        }
    }
}
