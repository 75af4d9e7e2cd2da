namespace ClipSae.Pipeline.Stages;

/// <summary>Finds what a user who mistyped a name most likely meant.</summary>
public static class NearMatches
{
    /// <summary>"did you mean x?" for the nearest names, or the whole list where none is near.</summary>
    public static string Describe(string given, IEnumerable<string> known)
    {
        var names = known.ToArray();
        var near = Of(given, names);
        return near.Count > 0
            ? $"did you mean {string.Join(" or ", near)}?"
            : $"known are {string.Join(", ", names.Order(StringComparer.Ordinal))}";
    }

    /// <summary>The nearest names, at most three, nearest first; none where none is near.</summary>
    public static IReadOnlyList<string> Of(string given, IEnumerable<string> known) =>
        [
            .. known
                .Select(name => (Name: name, Distance: Distance(given.ToLowerInvariant(), name.ToLowerInvariant())))
                .Where(match =>
                    match.Distance <= Math.Max(2, given.Length / 3) || match.Name.Contains(given, StringComparison.OrdinalIgnoreCase)
                )
                .OrderBy(match => match.Distance)
                .ThenBy(match => match.Name, StringComparer.Ordinal)
                .Take(3)
                .Select(match => match.Name),
        ];

    // Levenshtein distance over two rows.
    private static int Distance(string a, string b)
    {
        var above = Enumerable.Range(0, b.Length + 1).ToArray();
        var row = new int[b.Length + 1];
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                row[j] = Math.Min(Math.Min(row[j - 1], above[j]) + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            }

            (above, row) = (row, above);
        }

        return above[b.Length];
    }
}
