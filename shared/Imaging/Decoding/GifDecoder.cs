using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Decoding;

/// <summary>
/// Decodes the first picture of a GIF with the colours of its palette, those of transparent pixels included, which the general decoder
/// drops. Format: GIF89a.
/// </summary>
internal ref struct GifDecoder
{
    private const int MaxCode = 4096;

    private ReadOnlySpan<byte> _file;
    private ReadOnlySpan<byte> _palette;
    private int _transparent;
    private bool _interlaced;

    public static bool Takes(ReadOnlySpan<byte> file) => file.Length > 13 && (file.StartsWith("GIF87a"u8) || file.StartsWith("GIF89a"u8));

    /// <param name="file">A file that is taken.</param>
    public static bool TryDecode(
        ReadOnlySpan<byte> file,
        DecodeLimits limits,
        [NotNullWhen(true)] out DecodedImage? picture,
        [NotNullWhen(false)] out string? problem
    )
    {
        var decoder = new GifDecoder { _file = file[13..], _transparent = -1 };
        picture = null;
        problem = "truncated";
        var (width, height) = (BinaryPrimitives.ReadUInt16LittleEndian(file[6..]), BinaryPrimitives.ReadUInt16LittleEndian(file[8..]));
        if (!decoder.TakePalette(file[10]) || !decoder.FindFrame(out var place))
        {
            return false;
        }

        // Pillow widens the canvas for a picture that exceeds it.
        var size = (Width: Math.Max(width, place.Right), Height: Math.Max(height, place.Bottom));
        if (place.Width == 0 || place.Height == 0 || !limits.Allows(size.Width, size.Height, file.Length))
        {
            problem = $"{size.Width} × {size.Height} pixels";
            return false;
        }

        if (decoder.Indices(place.Width * place.Height) is not { } indices)
        {
            return false;
        }

        picture = decoder.Paint(indices, place, size.Width, size.Height);
        problem = null;
        return true;
    }

    private bool TakePalette(byte flags)
    {
        var bytes = (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
        if (_file.Length < bytes)
        {
            return false;
        }

        if (bytes > 0)
        {
            _palette = _file[..bytes];
            _file = _file[bytes..];
        }

        return true;
    }

    private bool FindFrame(out ImageRegion place)
    {
        place = default;
        while (_file.Length > 10)
        {
            var kind = _file[0];
            if (kind == (byte)'!')
            {
                if (_file[1] == 0xF9 && _file[2] >= 4 && (_file[3] & 1) != 0)
                {
                    _transparent = _file[6];
                }

                _file = _file[2..];
                while (Block() is { Length: > 0 }) { }
            }
            else if (kind == (byte)',')
            {
                var head = _file[1..];
                place = new ImageRegion(
                    BinaryPrimitives.ReadUInt16LittleEndian(head),
                    BinaryPrimitives.ReadUInt16LittleEndian(head[2..]),
                    BinaryPrimitives.ReadUInt16LittleEndian(head[4..]),
                    BinaryPrimitives.ReadUInt16LittleEndian(head[6..])
                );
                _interlaced = (head[8] & 0x40) != 0;
                _file = head[9..];
                return TakePalette(head[8]);
            }
            else if (kind == (byte)';')
            {
                return false;
            }
            else
            {
                _file = _file[1..];
            }
        }

        return false;
    }

    /// <summary>The next block of data; empty at their end, or where the file ends.</summary>
    private ReadOnlySpan<byte> Block()
    {
        if (_file.Length == 0 || _file[0] == 0 || _file.Length < 1 + _file[0])
        {
            _file = _file.Length == 0 ? _file : _file[1..];
            return default;
        }

        var block = _file.Slice(1, _file[0]);
        _file = _file[(1 + block.Length)..];
        return block;
    }

    /// <summary>Unpacks variable-length LZW codes; null if there are too few or impossible ones.</summary>
    private byte[]? Indices(int count)
    {
        if (_file.Length < 2 || _file[0] is 0 or > 11)
        {
            return null;
        }

        var least = _file[0];
        _file = _file[1..];
        var (clear, end) = (1 << least, (1 << least) + 1);
        Span<short> prefix = stackalloc short[MaxCode];
        Span<byte> suffix = stackalloc byte[MaxCode];
        Span<byte> stack = stackalloc byte[MaxCode + 1];
        var indices = new byte[count];
        var (done, next, width, last, first) = (0, end + 1, least + 1, -1, (byte)0);
        var (window, held) = (0u, 0);
        for (var block = Block(); block.Length > 0; block = Block())
        {
            foreach (var value in block)
            {
                window |= (uint)value << held;
                held += 8;
                while (held >= width)
                {
                    var code = (int)(window & ((1u << width) - 1));
                    (window, held) = (window >> width, held - width);
                    if (code == clear)
                    {
                        (next, width, last) = (end + 1, least + 1, -1);
                        continue;
                    }

                    if (code == end || code > next || (last < 0 && code > end))
                    {
                        return null;
                    }

                    var (depth, at) = (0, code);
                    if (code == next)
                    {
                        stack[depth++] = first;
                        at = last;
                    }

                    for (; at >= clear; at = prefix[at])
                    {
                        stack[depth++] = suffix[at];
                    }

                    first = (byte)at;
                    stack[depth++] = first;
                    if (last >= 0 && next < MaxCode)
                    {
                        (prefix[next], suffix[next]) = ((short)last, first);
                        next++;
                        width += next == 1 << width && width < 12 ? 1 : 0;
                    }

                    for (last = code; depth > 0 && done < count; )
                    {
                        indices[done++] = stack[--depth];
                    }

                    if (done == count)
                    {
                        return indices;
                    }
                }
            }
        }

        return null;
    }

    private readonly DecodedImage Paint(byte[] indices, ImageRegion place, int width, int height)
    {
        // A palette that counts up in grey is none to Pillow: the picture is grey, and resized as such. So is what a palette does not list.
        var isGrey = IsGrey(_palette);
        Span<byte> colours = stackalloc byte[3 * 256];
        for (var i = 0; i < colours.Length; i++)
        {
            colours[i] = i < _palette.Length ? _palette[i] : (byte)(i / 3);
        }

        var pixels = new byte[3 * width * height];
        var ground = colours.Slice(3 * Math.Max(0, _transparent), 3);
        for (var pixel = 0; pixel < width * height; pixel++)
        {
            ground.CopyTo(pixels.AsSpan(3 * pixel));
        }

        for (var row = 0; row < place.Height; row++)
        {
            var y = place.Top + (_interlaced ? Interlaced(row, place.Height) : row);
            for (var column = 0; column < place.Width; column++)
            {
                colours.Slice(3 * indices[row * place.Width + column], 3).CopyTo(pixels.AsSpan(3 * (y * width + place.Left + column)));
            }
        }

        return new DecodedImage(width, height, isGrey ? PixelMode.Rgb : PixelMode.Indexed, pixels);
    }

    private static bool IsGrey(ReadOnlySpan<byte> palette)
    {
        for (var i = 0; i < palette.Length; i++)
        {
            if (palette[i] != i / 3)
            {
                return false;
            }
        }

        return true;
    }

    // Every eighth row from 0, every eighth from 4, every fourth from 2, every second from 1.
    private static int Interlaced(int row, int height)
    {
        foreach (var (first, step) in (ReadOnlySpan<(int, int)>)[(0, 8), (4, 8), (2, 4), (1, 2)])
        {
            var rows = Math.Max(0, (height - first + step - 1) / step);
            if (row < rows)
            {
                return first + row * step;
            }

            row -= rows;
        }

        return height - 1;
    }
}
