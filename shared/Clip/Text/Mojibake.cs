using System.Text;
using System.Text.RegularExpressions;

namespace ClipSae.Clip.Text;

/// <summary>
/// UTF-8 that was read as Windows-1252 or Latin-1 ("cafÃ©", "itâ€™s") becomes the text that it was, also where it happened twice. Only
/// sequences that are UTF-8 to the last byte and hardly anything else are taken: those of Latin letters and signs, of punctuation and
/// emoji, runs of two and more of any script, and all where a text has nothing but ASCII otherwise.
/// </summary>
internal static partial class Mojibake
{
    private const int Rounds = 4;

    private static readonly Dictionary<char, byte> WindowsBytes = Enumerable
        .Range(0x80, 0x20)
        .Select(code => (Character: HtmlEntities.FromControl((char)code), Code: (byte)code))
        .ToDictionary(entry => entry.Character, entry => entry.Code);

    public static string Mend(string text)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var mended = MendOnce(text);
            if (ReferenceEquals(mended, text))
            {
                break;
            }

            text = mended;
        }

        return text;
    }

    private static string MendOnce(string text)
    {
        StringBuilder? result = null;
        var isWhole = IsWhole(text);
        for (var i = 0; i < text.Length; )
        {
            var (end, decoded, isClear) = Run(text, i);
            if (end == i || !(isWhole || isClear))
            {
                result?.Append(text, i, Math.Max(1, end - i));
                i = Math.Max(i + 1, end);
                continue;
            }

            result ??= new StringBuilder(text, 0, i, text.Length);
            result.Append(decoded);
            i = end;
        }

        var mended = result?.ToString() ?? text;
        return mended.Contains('Ã', StringComparison.Ordinal) || mended.Contains('â', StringComparison.Ordinal)
            ? LostQuote().Replace(LostBlank().Replace(mended, match => match.Groups["joined"].Success ? "à" : "à "), "\uFFFD")
            : mended;
    }

    /// <summary>Whether all that is not ASCII is such sequences, two and more.</summary>
    private static bool IsWhole(string text)
    {
        var sequences = 0;
        Span<byte> bytes = stackalloc byte[4];
        for (var i = 0; i < text.Length; )
        {
            var length = text[i] < 0x80 ? 1 : Sequence(text, i, bytes);
            if (length == 0)
            {
                return false;
            }

            sequences += text[i] < 0x80 ? 0 : 1;
            i += length;
        }

        return sequences > 1;
    }

    /// <summary>The longest run of sequences from a place on, decoded, and whether by itself it can be nothing else.</summary>
    private static (int End, string Decoded, bool IsClear) Run(string text, int start)
    {
        var decoded = new StringBuilder();
        var (end, sequences, isClear) = (start, 0, false);
        Span<byte> bytes = stackalloc byte[4];
        while (end < text.Length && Sequence(text, end, bytes) is > 0 and var length)
        {
            decoded.Append(Encoding.UTF8.GetString(bytes[..length]));
            isClear |= CannotBeMeant(bytes[..length], text.AsSpan(end, length));
            end += length;
            sequences++;
        }

        return (end, decoded.ToString(), isClear || sequences > 1);
    }

    // Leads of U+0080 to U+00FF, of Greek and Cyrillic, of general punctuation and symbols, of emoji; œ; the byte order mark; anything with
    // a control character. A capital with an accent before a degree sign or a figure (É°, Å²) is taken too, as ftfy takes it. A quote and a
    // cent sign after â may be meant: ftfy leaves them.
    private static bool CannotBeMeant(ReadOnlySpan<byte> bytes, ReadOnlySpan<char> text) =>
        (bytes[0] is 0xC2 or 0xC3 or 0xCE or 0xD0 or 0xE2 or 0xF0 && bytes is not [0xE2, 0x84, 0xA2])
        || (bytes is [>= 0xC3 and <= 0xDF, _] && "°²³¹±µ¼½¾§¶".Contains(text[1], StringComparison.Ordinal))
        || bytes is [0xEF, 0xBB, 0xBF] or [0xC5, 0x92 or 0x93]
        || text.IndexOfAnyInRange('\u0080', '\u009F') >= 0;

    /// <summary>Length of the UTF-8 sequence of several bytes that characters stand for; 0 where they do not.</summary>
    private static int Sequence(string text, int start, Span<byte> bytes)
    {
        if (Byte(text[start]) is not (>= 0xC2 and <= 0xF4 and var lead))
        {
            return 0;
        }

        var length =
            lead < 0xE0 ? 2
            : lead < 0xF0 ? 3
            : 4;
        for (var i = 0; i < length; i++)
        {
            if (start + i == text.Length || Byte(text[start + i]) is not { } value)
            {
                return 0;
            }

            bytes[i] = value;
        }

        return Rune.DecodeFromUtf8(bytes[..length], out _, out var used) == System.Buffers.OperationStatus.Done && used == length
            ? length
            : 0;
    }

    private static byte? Byte(char character) =>
        WindowsBytes.TryGetValue(character, out var known) ? known
        : character <= '\u00FF' ? (byte)character
        : null;

    // "Ã" and a no-break space that became a common one: "à" as a word, but for the Portuguese words that begin with it.
    [GeneratedRegex("(?<=^|[a-z]\\s?)Ã (?<joined>(?= |quele|quela|quilo|s ))?", RegexOptions.CultureInvariant)]
    private static partial Regex LostBlank();

    // A closing quote whose last byte no encoding had.
    [GeneratedRegex("â€\uFFFD", RegexOptions.CultureInvariant)]
    private static partial Regex LostQuote();
}
