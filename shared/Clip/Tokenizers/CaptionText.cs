using System.Globalization;
using System.Text;
using ClipSae.Clip.Text;

namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// From a caption to the words that byte-pair encoding works on, as OpenAI's <c>simple_tokenizer</c> does it: repaired
/// (<see cref="RepairedText"/>), HTML unescaped twice, white space collapsed, lower case; then contractions, runs of letters, single
/// digits, runs of the rest. Works on Unicode scalars, so letters beyond the basic plane are letters here as they are in the original.
/// </summary>
internal static class CaptionText
{
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    public static string Clean(string text)
    {
        var unescaped = HtmlEntities.Unescape(HtmlEntities.Unescape(RepairedText.Of(text)));
        var clean = new StringBuilder(unescaped.Length);
        var gap = false;
        foreach (var rune in unescaped.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune))
            {
                gap = clean.Length > 0;
                continue;
            }

            if (gap)
            {
                clean.Append(' ');
                gap = false;
            }

            clean.Append(rune);
        }

        return Lower(clean.ToString());
    }

    /// <param name="text">Text after <see cref="Clean"/>.</param>
    public static IEnumerable<string> Words(string text)
    {
        for (var i = 0; i < text.Length; )
        {
            var length = char.IsWhiteSpace(text[i]) ? 0 : WordLength(text, i);
            if (length > 0)
            {
                yield return text.Substring(i, length);
            }

            i += Math.Max(length, 1);
        }
    }

    private static int WordLength(string text, int start)
    {
        foreach (var special in new[] { BytePairs.StartOfText, BytePairs.EndOfText }.Concat(Contractions))
        {
            if (string.CompareOrdinal(text, start, special, 0, special.Length) == 0)
            {
                return special.Length;
            }
        }

        var kind = KindAt(text, start, out var length);
        if (kind == Kind.Number)
        {
            return length;
        }

        var end = start + length;
        while (end < text.Length && KindAt(text, end, out length) == kind)
        {
            end += length;
        }

        return end - start;
    }

    private enum Kind
    {
        Letter,
        Number,
        Space,
        Other,
    }

    private static Kind KindAt(string text, int index, out int length)
    {
        Rune.DecodeFromUtf16(text.AsSpan(index), out var rune, out length);
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other,
        };
    }

    /// <summary>
    /// Lower case as Python's <c>str.lower</c>: full mappings, of which .NET lacks the two below (Unicode SpecialCasing).
    /// </summary>
    private static string Lower(string text)
    {
        var lower = text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();
        if (!text.Contains('Σ', StringComparison.Ordinal))
        {
            return lower;
        }

        var source = text.Replace("\u0130", "i\u0307", StringComparison.Ordinal);
        var letters = lower.ToCharArray();
        for (var i = 0; i < letters.Length; i++)
        {
            if (source[i] == 'Σ' && i > 0 && char.IsLetter(source[i - 1]) && (i + 1 == source.Length || !char.IsLetter(source[i + 1])))
            {
                letters[i] = 'ς';
            }
        }

        return new string(letters);
    }
}
