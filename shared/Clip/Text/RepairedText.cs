using System.Text;
using System.Text.RegularExpressions;

namespace ClipSae.Clip.Text;

/// <summary>
/// What ftfy's <c>fix_text</c>, through which openai/CLIP passes every text, makes of it: HTML's references, mojibake, ligatures, full and
/// half width, curly quotes, control characters, Unicode's form C; again and again until nothing changes. Of its mojibake, the kinds of
/// <see cref="Mojibake"/>.
/// </summary>
internal static partial class RepairedText
{
    // Halfwidth katakana and Hangul, from U+FF61 and U+FFA0 on; a blank is a place that is not assigned.
    private const string Katakana =
        "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u3099\u309A";
    private const string Hangul =
        "\u1160\u1100\u1101\u11AA\u1102\u11AC\u11AD\u1103\u1104\u1105\u11B0\u11B1\u11B2\u11B3\u11B4\u11B5\u111A\u1106\u1107\u1108"
        + "\u1121\u1109\u110A\u110B\u110C\u110D\u110E\u110F\u1110\u1111\u1112"
        + "   \u1161\u1162\u1163\u1164\u1165\u1166  \u1167\u1168\u1169\u116A\u116B\u116C  "
        + "\u116D\u116E\u116F\u1170\u1171\u1172  \u1173\u1174\u1175";

    // From U+FFE0 on.
    private const string Signs = "\u00A2\u00A3\u00AC \u00A6\u00A5\u20A9 \u2502\u2190\u2191\u2192\u2193\u25A0\u25CB";

    public static string Of(string text)
    {
        if (IsPlain(text))
        {
            return text;
        }

        // Markup is meant: from the first line that has some, references stay.
        var hasMarkup = false;
        var repaired = new StringBuilder(text.Length);
        foreach (var line in Lines(text))
        {
            hasMarkup |= line.Contains('<', StringComparison.Ordinal);
            repaired.Append(Line(line, !hasMarkup));
        }

        return repaired.ToString();
    }

    // Nearly every caption: nothing above ASCII, no reference and no control character.
    private static bool IsPlain(string text) =>
        !text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains('&', StringComparison.Ordinal);

    private static IEnumerable<string> Lines(string text)
    {
        for (var start = 0; start < text.Length; )
        {
            var end = text.IndexOf('\n', start) + 1;
            end = end == 0 ? text.Length : end;
            yield return text[start..end];
            start = end;
        }
    }

    private static string Line(string text, bool hasReferences)
    {
        while (true)
        {
            var before = text;
            text = hasReferences ? HtmlEntities.UnescapeStrictly(text) : text;
            text = ComposedText.Of(Cleared(TerminalEscapes().Replace(Widened(Mojibake.Mend(text)), "")));
            if (text == before)
            {
                return text;
            }
        }
    }

    private static string Widened(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            _ = HtmlEntities.FromControl(character) switch
            {
                '\u0132' => result.Append("IJ"),
                '\u0133' => result.Append("ij"),
                '\u0149' => result.Append("\u02BCn"),
                '\u01C4' => result.Append("D\u017D"),
                '\u01C5' => result.Append("D\u017E"),
                '\u01C6' => result.Append("d\u017E"),
                '\u01C7' => result.Append("LJ"),
                '\u01C8' => result.Append("Lj"),
                '\u01C9' => result.Append("lj"),
                '\u01CA' => result.Append("NJ"),
                '\u01CB' => result.Append("Nj"),
                '\u01CC' => result.Append("nj"),
                '\u01F1' => result.Append("DZ"),
                '\u01F2' => result.Append("Dz"),
                '\u01F3' => result.Append("dz"),
                '\uFB00' => result.Append("ff"),
                '\uFB01' => result.Append("fi"),
                '\uFB02' => result.Append("fl"),
                '\uFB03' => result.Append("ffi"),
                '\uFB04' => result.Append("ffl"),
                '\uFB05' => result.Append("\u017Ft"),
                '\uFB06' => result.Append("st"),
                '\uFFE3' => result.Append(" \u0304"),
                '\u02BC' or (>= '\u2018' and <= '\u201B') => result.Append('\''),
                >= '\u201C' and <= '\u201F' => result.Append('"'),
                var other => result.Append(Width(other)),
            };
        }

        return result.ToString();
    }

    private static char Width(char character) =>
        character switch
        {
            '\u3000' => ' ',
            >= '\uFF01' and <= '\uFF5E' => (char)(character - 0xFEE0),
            '\uFF5F' or '\uFF60' => (char)(character - 0xFF5F + 0x2985),
            >= '\uFF61' and <= '\uFF9F' => Katakana[character - 0xFF61],
            >= '\uFFA0' and <= '\uFFDC' => Assigned(Hangul[character - 0xFFA0], character),
            >= '\uFFE0' and <= '\uFFEE' => Assigned(Signs[character - 0xFFE0], character),
            _ => character,
        };

    private static char Assigned(char mapped, char character) => mapped == ' ' ? character : mapped;

    // Line ends become one kind; ftfy's list of characters that have no look.
    private static string Cleared(string text)
    {
        text = text.Replace("\r\n", "\n", StringComparison.Ordinal);
        var result = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            switch (character)
            {
                case '\r' or '\u2028' or '\u2029' or '\u0085':
                    result.Append('\n');
                    break;
                case '\t' or '\n' or '\f':
                    result.Append(character);
                    break;
                case < ' ' or '\u007F' or (>= '\u206A' and <= '\u206F') or '\uFEFF' or (>= '\uFFF9' and <= '\uFFFC'):
                    break;
                default:
                    result.Append(character);
                    break;
            }
        }

        return result.ToString();
    }

    [GeneratedRegex("\u001B\\[((?:[0-9]|;)*)([a-zA-Z])", RegexOptions.CultureInvariant)]
    private static partial Regex TerminalEscapes();
}
