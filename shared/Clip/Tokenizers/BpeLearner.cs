using System.Text;

namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// Learns a byte-pair vocabulary from captions (Sennrich et al., arXiv 1508.07909): again and again the most frequent
/// neighbouring pair becomes a symbol. Ties go to the pair that sorts first, so equal captions give an equal vocabulary.
/// </summary>
public static class BpeLearner
{
    /// <param name="merges">How many symbols to learn at most; the vocabulary has 514 more.</param>
    /// <returns>Merges in order; fewer than asked when every word is one symbol already.</returns>
    public static IReadOnlyList<(string Left, string Right)> Learn(IEnumerable<string> captions, int merges)
    {
        var counts = captions
            .SelectMany(c => CaptionText.Words(CaptionText.Clean(c)))
            .CountBy(w => w)
            .OrderBy(w => w.Key, StringComparer.Ordinal)
            .ToList();
        var words = counts.Select(w => BytePairs.Symbols(w.Key)).ToList();
        var learned = new List<(string Left, string Right)>();
        while (learned.Count < merges && MostFrequentPair(words, counts) is { } pair)
        {
            learned.Add(pair);
            for (var i = 0; i < words.Count; i++)
            {
                if (words[i].Count > 1)
                {
                    words[i] = BytePairs.Merge(words[i], pair.Left, pair.Right);
                }
            }
        }

        return learned;
    }

    /// <summary>
    /// The merges as text in OpenAI's vocabulary format, which <see cref="ClipTokenizer.Load"/> and the original code read.
    /// </summary>
    public static string Format(IEnumerable<(string Left, string Right)> merges)
    {
        var text = new StringBuilder("#version: 0.2\n");
        foreach (var (left, right) in merges)
        {
            text.Append(left).Append(' ').Append(right).Append('\n');
        }

        return text.ToString();
    }

    private static (string Left, string Right)? MostFrequentPair(List<List<string>> words, List<KeyValuePair<string, int>> counts)
    {
        var pairs = new Dictionary<(string Left, string Right), long>();
        for (var i = 0; i < words.Count; i++)
        {
            foreach (var pair in words[i].Zip(words[i].Skip(1)))
            {
                pairs[pair] = pairs.GetValueOrDefault(pair) + counts[i].Value;
            }
        }

        return pairs.Count == 0
            ? null
            : pairs
                .OrderByDescending(p => p.Value)
                .ThenBy(p => p.Key.Left, StringComparer.Ordinal)
                .ThenBy(p => p.Key.Right, StringComparer.Ordinal)
                .First()
                .Key;
    }
}
