namespace ClipSae.Cli.Output;

/// <summary>
/// A table as plain lines: columns padded with spaces, no borders, and nothing folded, so that names can be copied whole from any terminal.
/// </summary>
internal static class PaddedLines
{
    private const string Gap = "  ";

    /// <param name="titles">Headings.</param>
    /// <param name="rows">As many cells each; the last column may be of any length.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> titles, IEnumerable<IReadOnlyList<string>> rows)
    {
        IReadOnlyList<string>[] all = [titles, .. rows];
        int[] widths = [.. Enumerable.Range(0, titles.Count).Select(column => all.Max(row => row[column].Length))];
        return
        [
            .. all.Select(row =>
                string.Join(Gap, row.Select((cell, column) => column == row.Count - 1 ? cell : cell.PadRight(widths[column]))).TrimEnd()
            ),
        ];
    }
}
