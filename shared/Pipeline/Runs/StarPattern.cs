namespace ClipSae.Pipeline.Runs;

/// <summary>Patterns in which a star stands for any characters.</summary>
internal static class StarPattern
{
    public static bool HasStar(string pattern) => pattern.Contains('*', StringComparison.Ordinal);

    /// <summary>What the stars matched, in order, each as short as can be; null where the text does not match.</summary>
    public static IReadOnlyList<string>? Match(string pattern, string text)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
        {
            return pattern == text ? [] : null;
        }

        if (!text.StartsWith(pattern.AsSpan(0, star), StringComparison.Ordinal))
        {
            return null;
        }

        var rest = pattern[(star + 1)..];
        for (var end = HasStar(rest) ? star : Math.Max(star, text.Length - rest.Length); end <= text.Length; end++)
        {
            if (Match(rest, text[end..]) is { } matched)
            {
                return [text[star..end], .. matched];
            }
        }

        return null;
    }
}
