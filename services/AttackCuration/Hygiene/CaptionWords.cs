using ClipSae.AttackCuration.Images;
using ClipSae.Datasets;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>Words of captions that could be what is printed on a picture, or what it shows.</summary>
public static class CaptionWords
{
    private const int Shortest = 3;
    private const int MinCount = 5;
    private const int MaxCount = 1000;

    /// <summary>A word in more captions than this share is the captions' way of speaking, not what a picture shows.</summary>
    private const double CommonShare = 0.25;

    private static readonly HashSet<string> Connecting = new(
        [
            "a",
            "an",
            "the",
            "of",
            "with",
            "that",
            "which",
            "and",
            "in",
            "on",
            "at",
            "is",
            "says",
            "say",
            "saying",
            "reads",
            "reading",
            "word",
            "words",
            "text",
            "label",
            "sign",
            "photo",
            "picture",
            "image",
        ],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>
    /// The given names first, then the words that at least five captions use and not every fourth does, the most frequent first; at most
    /// 1,000 of these.
    /// </summary>
    public static IReadOnlyList<string> Vocabulary(IEnumerable<string> names, IReadOnlyList<ImageSource> pictures)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var word in pictures.SelectMany(picture => picture.Item.Captions.SelectMany(Split).Distinct(StringComparer.Ordinal)))
        {
            counts[word] = counts.GetValueOrDefault(word) + 1;
        }

        var frequent = counts
            .Where(c =>
                c.Value >= MinCount && c.Value <= CommonShare * pictures.Count && c.Key.Length >= Shortest && !Connecting.Contains(c.Key)
            )
            .OrderByDescending(c => c.Value)
            .ThenBy(c => c.Key, StringComparer.Ordinal)
            .Take(MaxCount)
            .Select(c => c.Key);
        return [.. names.Union(frequent, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Places in <paramref name="vocabulary"/> of the words that a picture's captions name.</summary>
    public static IReadOnlyList<int> Named(DatasetItem item, IReadOnlyList<string> vocabulary)
    {
        var unlabelled = item with { Label = null };
        var words = item.Captions.SelectMany(Split).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return
        [
            .. Enumerable
                .Range(0, vocabulary.Count)
                .Where(v =>
                    vocabulary[v].All(char.IsLetter) ? words.Contains(vocabulary[v]) : ShownClass.IsTrue(vocabulary[v], unlabelled)
                ),
        ];
    }

    /// <summary>
    /// The captions with a word and, at the end, what led to it removed; one that then names nothing of the vocabulary is left out.
    /// </summary>
    public static IReadOnlyList<string> Without(DatasetItem item, string word, IReadOnlyList<string> vocabulary)
    {
        var kept = new List<string>();
        foreach (var caption in item.Captions)
        {
            var left = caption
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Where(part => !Split(part).Contains(word, StringComparer.OrdinalIgnoreCase))
                .ToList();
            while (left.Count > 0 && Split(left[^1]).All(Connecting.Contains))
            {
                left.RemoveAt(left.Count - 1);
            }

            var text = string.Join(' ', left);
            if (Named(item with { Captions = [text] }, vocabulary).Count > 0)
            {
                kept.Add(text);
            }
        }

        return kept;
    }

    private static IEnumerable<string> Split(string caption) =>
        new string([.. caption.Select(c => char.IsLetter(c) ? char.ToLowerInvariant(c) : ' ')]).Split(
            ' ',
            StringSplitOptions.RemoveEmptyEntries
        );
}
