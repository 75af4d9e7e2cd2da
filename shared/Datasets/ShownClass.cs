namespace ClipSae.Datasets;

/// <summary>
/// What a picture's label and captions say it shows. Curation and fine-tuning ask here, so that both take a picture for the same class.
/// </summary>
public static class ShownClass
{
    /// <summary>
    /// The class of a picture: its label, where that is one of the classes; without a label, the one class that its captions name as whole
    /// words, whatever their case. Within a longer name another is not named: a hot dog is no dog.
    /// </summary>
    /// <returns>Null where it is none of the classes, or captions name several.</returns>
    public static string? Of(DatasetItem item, IReadOnlyList<string> classes)
    {
        if (item.Label is { } label)
        {
            return classes.Contains(label, StringComparer.Ordinal) ? label : null;
        }

        var named = item.Captions.SelectMany(caption => Named(caption, classes)).Distinct(StringComparer.Ordinal).Take(2).ToArray();
        return named is [var only] ? only : null;
    }

    /// <summary>Whether a word printed on a picture would be true: it is the label, or a caption names it.</summary>
    public static bool IsTrue(string word, DatasetItem item) =>
        string.Equals(word, item.Label, StringComparison.OrdinalIgnoreCase) || item.Captions.Any(caption => Places(caption, word).Any());

    private static IEnumerable<string> Named(string caption, IReadOnlyList<string> classes)
    {
        var places = classes
            .SelectMany(name => Places(caption, name).Select(start => (Name: name, Start: start, End: start + name.Length)))
            .ToArray();
        return places
            .Where(place =>
                !places.Any(other => other.Name.Length > place.Name.Length && other.Start <= place.Start && other.End >= place.End)
            )
            .Select(place => place.Name);
    }

    private static IEnumerable<int> Places(string caption, string name)
    {
        bool IsWithinWord(int at) => at >= 0 && at < caption.Length && char.IsLetterOrDigit(caption[at]);
        for (var at = First(0); at >= 0; at = First(at + 1))
        {
            if (!IsWithinWord(at - 1) && !IsWithinWord(at + name.Length))
            {
                yield return at;
            }
        }

        int First(int from) =>
            name.Length == 0 || from >= caption.Length ? -1 : caption.IndexOf(name, from, StringComparison.OrdinalIgnoreCase);
    }
}
