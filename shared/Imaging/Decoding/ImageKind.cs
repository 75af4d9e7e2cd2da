using System.Buffers.Binary;

namespace ClipSae.Imaging.Decoding;

/// <summary>
/// What a file is by its first bytes: a picture that is read, one of a kind that is not, or something that is often found where a picture
/// should.
/// </summary>
public static class ImageKind
{
    /// <summary>Bytes of a file's beginning that decide.</summary>
    public const int HeadBytes = 32;

    /// <summary>Whether these are the first bytes of a picture of a kind that is read.</summary>
    public static bool IsRead(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])
        || head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A])
        || head.StartsWith("GIF87a"u8)
        || head.StartsWith("GIF89a"u8)
        || (head.StartsWith("RIFF"u8) && head.Length >= 12 && head[8..].StartsWith("WEBP"u8))
        || (head.StartsWith("BM"u8) && head.Length >= 18 && head[14] is 12 or 40 or 52 or 56 or 64 or 108 or 124 && head[15] == 0);

    /// <summary>The name of a picture's kind that is not read, or null.</summary>
    public static string? Unread(ReadOnlySpan<byte> head) =>
        head switch
        {
            _ when head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8) || head.StartsWith("II+\0"u8) || head.StartsWith("MM\0+"u8) =>
                "TIFF",
            _ when Brand(head) is "avif" or "avis" => "AVIF",
            _ when Brand(head) is "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx" or "mif1" or "msf1" or "miaf" => "HEIC",
            _ when head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A])
                    || head.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' ']) => "JPEG XL",
            _ when head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51])
                    || head.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' ']) => "JPEG 2000",
            _ when head.StartsWith("8BPS"u8) => "Photoshop",
            _ when head.StartsWith("<svg"u8) => "SVG",
            _ => null,
        };

    /// <summary>
    /// Whether a picture of a kind that is read ends as such files do. One that does not may be cut, and is worth decoding to know.
    /// </summary>
    public static bool IsComplete(ReadOnlySpan<byte> file)
    {
        // Cameras and servers append a few bytes of their own.
        const int Appended = 4096;
        var tail = file[Math.Max(0, file.Length - Appended)..];
        return file switch
        {
            [0xFF, 0xD8, ..] => tail.IndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) >= 0,
            [0x89, ..] => tail.IndexOf("IEND"u8) >= 0,
            [(byte)'G', ..] => tail.TrimEnd((byte)0).EndsWith(";"u8),
            [(byte)'R', ..] => file.Length >= 8 && BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) + 8L <= file.Length,
            _ => false,
        };
    }

    /// <summary>In a few words, why a file of no known kind is no picture.</summary>
    public static string Explain(ReadOnlySpan<byte> encoded)
    {
        var head = encoded[..Math.Min(encoded.Length, HeadBytes)];
        return head switch
        {
            _ when Unread(head) is { } kind => $"{kind} is not read: convert it to PNG or JPEG",
            _ when StartsWithText(head, "<!doctype html") || StartsWithText(head, "<html") =>
                "an HTML page in place of a picture: download it again",
            _ when head.StartsWith("version https://git-lfs"u8) => "a Git LFS pointer in place of the picture: fetch it with git lfs pull",
            _ => "unknown format",
        };
    }

    private static string? Brand(ReadOnlySpan<byte> head) =>
        head.Length >= 12 && head[4..].StartsWith("ftyp"u8) ? System.Text.Encoding.ASCII.GetString(head.Slice(8, 4)) : null;

    private static bool StartsWithText(ReadOnlySpan<byte> head, string text) =>
        System
            .Text.Encoding.ASCII.GetString(head)
            .TrimStart('\uFEFF', '?', ' ', '\r', '\n', '\t')
            .StartsWith(text, StringComparison.OrdinalIgnoreCase);
}
