using System.Globalization;
using System.Text;

namespace ClipSae.Clip.Text;

/// <summary>
/// HTML's character references, in the two ways in which openai/CLIP's captions meet them: as Python's <c>html.unescape</c> reads them,
/// with or without a semicolon, and as ftfy does, which takes only those that end in one.
/// </summary>
internal static class HtmlEntities
{
    private const int MaxNameLength = 32;

    // What Windows-1252 has in 0x80 to 0x9F; a browser reads numeric references to these control characters so.
    private const string Windows =
        "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f"
        + "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

    private static readonly Lazy<Dictionary<string, string>> Names = new(Read);

    /// <summary>The character that Windows-1252 has in the place of a control character from U+0080 to U+009F; others stay.</summary>
    public static char FromControl(char character) => character is >= '\u0080' and <= '\u009F' ? Windows[character - 0x80] : character;

    /// <summary>Python's <c>html.unescape</c>, which reads names without semicolon too, as far as they reach.</summary>
    public static string Unescape(string text) =>
        Replace(
            text,
            MaxNameLength,
            static body =>
            {
                if (body.StartsWith('#'))
                {
                    return Number(body.TrimEnd(';')) is { } number ? number : null;
                }

                if (Names.Value.TryGetValue(body, out var whole))
                {
                    return whole;
                }

                for (var length = body.Length - 1; length > 1; length--)
                {
                    if (Names.Value.TryGetValue(body[..length], out var part))
                    {
                        return part + body[length..];
                    }
                }

                return null;
            },
            static character => character is not ('\t' or '\n' or '\f' or ' ' or '<' or '&' or '#' or ';')
        );

    /// <summary>
    /// ftfy's <c>unescape_html</c>: references that end in a semicolon, and names of lower-case letters that were put in capitals.
    /// </summary>
    public static string UnescapeStrictly(string text) =>
        Replace(
            text,
            MaxNameLength,
            static body =>
            {
                if (!body.EndsWith(';'))
                {
                    return null;
                }

                if (body.StartsWith('#'))
                {
                    return Number(body[..^1]);
                }

                return Names.Value.TryGetValue(body, out var whole) ? whole
                    : body.ToUpperInvariant() == body
                    && Names.Value.TryGetValue(body.ToLowerInvariant(), out var small)
                    && Unescape("&" + body) == "&" + body
                        ? Upper(small)
                    : null;
            },
            static character => char.IsAsciiLetterOrDigit(character)
        );

    // Python's upper case of the only letter among them that becomes two.
    private static string Upper(string text) => text == "ß" ? "SS" : text.ToUpperInvariant();

    /// <param name="meaning">What stands behind the ampersand, semicolon included, gives in place of it all; null leaves it.</param>
    /// <param name="isName">Whether a character may be part of a name.</param>
    private static string Replace(string text, int maxLength, Func<string, string?> meaning, Func<char, bool> isName)
    {
        if (!text.Contains('&', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '&')
            {
                result.Append(text[i]);
                continue;
            }

            var end = End(text, i + 1, maxLength, isName);
            if (end > i + 1 && meaning(text[(i + 1)..end]) is { } replaced)
            {
                result.Append(replaced);
                i = end - 1;
            }
            else
            {
                result.Append('&');
            }
        }

        return result.ToString();
    }

    private static int End(string text, int start, int maxLength, Func<char, bool> isName)
    {
        var end = start;
        if (end < text.Length && text[end] == '#')
        {
            end++;
            var isHex = end < text.Length && text[end] is 'x' or 'X';
            end += isHex ? 1 : 0;
            var digits = end;
            while (end < text.Length && (isHex ? char.IsAsciiHexDigit(text[end]) : char.IsAsciiDigit(text[end])))
            {
                end++;
            }

            if (end == digits)
            {
                return start;
            }
        }
        else
        {
            while (end < text.Length && end - start < maxLength && isName(text[end]))
            {
                end++;
            }
        }

        return end > start && end < text.Length && text[end] == ';' ? end + 1 : end;
    }

    private static string? Number(string body)
    {
        var isHex = body.Length > 1 && body[1] is 'x' or 'X';
        var digits = body[(isHex ? 2 : 1)..].TrimStart('0');
        var code =
            digits.Length > 8 ? int.MaxValue
            : digits.Length == 0 ? 0
            : (int)
                Math.Min(
                    int.MaxValue,
                    long.Parse(digits, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture)
                );
        return code switch
        {
            0 or > 0x10FFFF or (>= 0xD800 and <= 0xDFFF) => "\uFFFD",
            0x0D => "\r",
            >= 0x80 and <= 0x9F => FromControl((char)code).ToString(),
            < 0x09 or 0x0B or (>= 0x0E and < 0x20) or 0x7F or (>= 0xFDD0 and <= 0xFDEF) => "",
            _ when (code & 0xFFFE) == 0xFFFE => "",
            _ => char.ConvertFromUtf32(code),
        };
    }

    private static Dictionary<string, string> Read()
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        using var stream = typeof(HtmlEntities).Assembly.GetManifestResourceStream("entities.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && line[0] != '#')
            {
                names[line[..equals]] = string.Concat(
                    line[(equals + 1)..]
                        .Split(' ')
                        .Select(code =>
                            char.ConvertFromUtf32(int.Parse(code, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))
                        )
                );
            }
        }

        return names;
    }
}
