using System.Text;

namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// The alphabet of CLIP's byte-level byte-pair encoding: every byte has a printable character, so that merges can be kept
/// in a text file, and the last symbol of a word carries <c>&lt;/w&gt;</c>.
/// </summary>
internal static class BytePairs
{
    public const string WordEnd = "</w>";
    public const string StartOfText = "<|startoftext|>";
    public const string EndOfText = "<|endoftext|>";

    /// <summary>The 256 characters in vocabulary order: printable bytes first, then the others from U+0100 on.</summary>
    public static readonly IReadOnlyList<char> Alphabet;

    private static readonly char[] CharacterOfByte = new char[256];
    private static readonly Dictionary<char, byte> ByteOfCharacter = [];

    static BytePairs()
    {
        var alphabet = new List<char>(256);
        for (var b = 0; b < 256; b++)
        {
            if (IsPrintable(b))
            {
                CharacterOfByte[b] = (char)b;
                alphabet.Add((char)b);
            }
        }

        for (int b = 0, next = 256; b < 256; b++)
        {
            if (!IsPrintable(b))
            {
                CharacterOfByte[b] = (char)next++;
                alphabet.Add(CharacterOfByte[b]);
            }
        }

        Alphabet = alphabet;
        for (var b = 0; b < 256; b++)
        {
            ByteOfCharacter.Add(CharacterOfByte[b], (byte)b);
        }
    }

    /// <summary>The byte that a character of the alphabet stands for.</summary>
    public static byte ByteOf(char character) => ByteOfCharacter[character];

    /// <summary>A word as its symbols before any merge.</summary>
    public static List<string> Symbols(string word)
    {
        var bytes = Encoding.UTF8.GetBytes(word);
        var symbols = new List<string>(bytes.Length);
        for (var i = 0; i < bytes.Length; i++)
        {
            var character = CharacterOfByte[bytes[i]].ToString();
            symbols.Add(i == bytes.Length - 1 ? character + WordEnd : character);
        }

        return symbols;
    }

    /// <summary>Joins every occurrence of a pair, left to right.</summary>
    public static List<string> Merge(List<string> symbols, string left, string right)
    {
        var merged = new List<string>(symbols.Count);
        for (var i = 0; i < symbols.Count; i++)
        {
            if (i + 1 < symbols.Count && symbols[i] == left && symbols[i + 1] == right)
            {
                merged.Add(left + right);
                i++;
            }
            else
            {
                merged.Add(symbols[i]);
            }
        }

        return merged;
    }

    private static bool IsPrintable(int b) => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
}
