using System.Globalization;
using System.Text;

namespace ClipSae.Contracts;

/// <summary>
/// Unicode's normalization form C (UAX #15): "é" in two code points becomes one. .NET leaves text as it is where it runs without ICU, as
/// here, so that digests follow from no library of the machine.
/// </summary>
public static class ComposedText
{
    // Hangul syllables are computed (Unicode Standard, section 3.12).
    private const int Syllables = 0xAC00,
        Leads = 0x1100,
        Vowels = 0x1161,
        Trails = 0x11A7;
    private const int LeadCount = 19,
        VowelCount = 21,
        TrailCount = 28;

    private static readonly Lazy<Tables> Known = new(Tables.Read);

    /// <summary>The text in form C.</summary>
    public static string Of(string text)
    {
        // Below U+0300 nothing combines and everything is composed already.
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', '\u02FF'))
        {
            return text;
        }

        var runes = Decomposed(text);
        Compose(runes);
        return Text(runes);
    }

    /// <summary>Each text in form C.</summary>
    public static IReadOnlyList<string> OfAll(IEnumerable<string> texts) => [.. texts.Select(Of)];

    /// <summary>The text in form D, with every mark apart: how some file systems and archives spell names.</summary>
    public static string Apart(string text) => Text(Decomposed(text));

    private static List<int> Decomposed(string text)
    {
        var runes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, runes);
        }

        Order(runes);
        return runes;
    }

    private static string Text(List<int> runes)
    {
        var text = new StringBuilder(runes.Count);
        foreach (var rune in runes)
        {
            text.Append(new Rune(rune));
        }

        return text.ToString();
    }

    private static void Decompose(int rune, List<int> result)
    {
        if (rune - Syllables is >= 0 and < LeadCount * VowelCount * TrailCount and var syllable)
        {
            result.Add(Leads + syllable / (VowelCount * TrailCount));
            result.Add(Vowels + syllable % (VowelCount * TrailCount) / TrailCount);
            if (syllable % TrailCount is > 0 and var trail)
            {
                result.Add(Trails + trail);
            }
        }
        else if (Known.Value.Parts.TryGetValue(rune, out var parts))
        {
            Decompose(parts.First, result);
            if (parts.Second is { } second)
            {
                Decompose(second, result);
            }
        }
        else
        {
            result.Add(rune);
        }
    }

    // Marks of different classes do not touch each other: they stand in the order of their classes.
    private static void Order(List<int> runes)
    {
        for (var first = 0; first < runes.Count; first++)
        {
            var end = first;
            while (end < runes.Count && Class(runes[end]) > 0)
            {
                end++;
            }

            if (end - first > 1)
            {
                int[] ordered = [.. runes[first..end].OrderBy(Class)];
                for (var i = 0; i < ordered.Length; i++)
                {
                    runes[first + i] = ordered[i];
                }
            }

            first = end;
        }
    }

    private static void Compose(List<int> runes)
    {
        var (starter, last, kept) = (-1, 0, 0);
        for (var i = 0; i < runes.Count; i++)
        {
            var (rune, rank) = (runes[i], Class(runes[i]));
            // Blocked by a mark of the same class between, or by anything that is no mark.
            var isAdjacent = starter == kept - 1;
            if (starter >= 0 && (isAdjacent || (last < rank && last > 0)) && Pair(runes[starter], rune) is { } whole)
            {
                runes[starter] = whole;
                continue;
            }

            (starter, last) = rank == 0 ? (kept, 0) : (starter, rank);
            runes[kept++] = rune;
        }

        runes.RemoveRange(kept, runes.Count - kept);
    }

    private static int? Pair(int first, int second)
    {
        if (first - Leads is >= 0 and < LeadCount and var lead && second - Vowels is >= 0 and < VowelCount and var vowel)
        {
            return Syllables + (lead * VowelCount + vowel) * TrailCount;
        }

        if (
            first - Syllables is >= 0 and < LeadCount * VowelCount * TrailCount and var syllable
            && syllable % TrailCount == 0
            && second - Trails is > 0 and < TrailCount and var trail
        )
        {
            return first + trail;
        }

        return Known.Value.Wholes.TryGetValue((first, second), out var whole) ? whole : null;
    }

    private static int Class(int rune) => rune < 0x300 ? 0 : Known.Value.Classes.GetValueOrDefault(rune);

    /// <summary>What Unicode's character database says, from this assembly's resource.</summary>
    private sealed record Tables(
        Dictionary<int, (int First, int? Second)> Parts,
        Dictionary<(int First, int Second), int> Wholes,
        Dictionary<int, int> Classes
    )
    {
        public static Tables Read()
        {
            var tables = new Tables([], [], []);
            using var stream = typeof(ComposedText).Assembly.GetManifestResourceStream("canonical.txt")!;
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
            {
                if (!line.StartsWith('#'))
                {
                    tables.Take(line);
                }
            }

            return tables;
        }

        private void Take(string line)
        {
            var end = line.AsSpan().IndexOfAny('=', '>', ':');
            if (line[end] == ':')
            {
                var range = line[..end].Split('-');
                for (var rune = Hex(range[0]); rune <= Hex(range[^1]); rune++)
                {
                    Classes[rune] = int.Parse(line.AsSpan(end + 1), NumberStyles.None, CultureInfo.InvariantCulture);
                }

                return;
            }

            var (whole, parts) = (Hex(line[..end]), line[(end + 1)..].Split(' '));
            Parts[whole] = (Hex(parts[0]), parts.Length > 1 ? Hex(parts[1]) : null);
            if (line[end] == '=')
            {
                Wholes[(Hex(parts[0]), Hex(parts[1]))] = whole;
            }
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
