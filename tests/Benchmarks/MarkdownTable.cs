namespace ClipSae.Benchmarks;

/// <summary>A table as a README shows it: first column left, the others right.</summary>
internal sealed class MarkdownTable(params string[] heading)
{
    private readonly List<string[]> _rows = [heading];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Print(TextWriter output)
    {
        var widths = Enumerable.Range(0, heading.Length).Select(i => _rows.Max(r => r[i].Length)).ToArray();
        for (var r = 0; r < _rows.Count; r++)
        {
            output.WriteLine(
                "| " + string.Join(" | ", _rows[r].Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))) + " |"
            );
            if (r == 0)
            {
                output.WriteLine(
                    "|" + string.Join("|", widths.Select((w, i) => i == 0 ? new string('-', w + 2) : new string('-', w + 1) + ":")) + "|"
                );
            }
        }

        output.WriteLine();
    }
}
