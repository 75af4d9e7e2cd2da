namespace ClipSae.Benchmarks;

/// <summary>A table as a README shows it: first column left, the others right.</summary>
internal sealed class MarkdownTable(params string[] heading)
{
    private readonly List<string[]> rows = [heading];

    public void Add(params string[] cells) => rows.Add(cells);

    public void Print(TextWriter output)
    {
        var widths = Enumerable.Range(0, heading.Length).Select(i => rows.Max(r => r[i].Length)).ToArray();
        for (var r = 0; r < rows.Count; r++)
        {
            output.WriteLine("| " + string.Join(" | ", rows[r].Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))) + " |");
            if (r == 0)
            {
                output.WriteLine("|" + string.Join("|", widths.Select((w, i) => i == 0 ? new string('-', w + 2) : new string('-', w + 1) + ":")) + "|");
            }
        }

        output.WriteLine();
    }
}
