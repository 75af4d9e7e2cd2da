namespace ClipSae.Cli.Output;

/// <summary>Breaks texts between words.</summary>
internal static class WordWrap
{
    /// <summary>The text in lines of at most <paramref name="width"/> characters; a longer word has a line of its own.</summary>
    public static IEnumerable<string> Lines(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        yield return line;
    }
}
