using Spectre.Console;

namespace ClipSae.Cli.Output;

/// <summary>
/// A table of numbers that keeps to the console's width without breaking a heading, a name or a number: columns that do not fit follow in a
/// further block under the same names, and where a name leaves no room for two numbers, names have lines of their own.
/// </summary>
/// <param name="names">Heading of the rows' names.</param>
/// <param name="titles">Headings of the numbers; a line feed breaks one.</param>
internal sealed class NumberTable(string names, params IReadOnlyList<string> titles)
{
    private const string Gap = "  ";
    private const string Indent = "    ";

    private readonly List<Row> _rows = [];

    /// <summary>A text as a heading: broken at spaces so that no line of it is much longer than a number.</summary>
    public static string Heading(string text)
    {
        const int Width = 16;
        return string.Join('\n', WordWrap.Lines(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), Width));
    }

    /// <summary>Adds a row of as many cells as there are headings; a line feed breaks one.</summary>
    /// <param name="style">A style of Spectre.Console, as <c>bold green</c>; empty for none.</param>
    public void Add(string name, IReadOnlyList<string> cells, string style = "") => _rows.Add(new Row(name, cells, style));

    /// <summary>Adds an empty line.</summary>
    public void AddGap() => Add("", [.. titles.Select(_ => "")]);

    /// <summary>Writes the table in the console's width.</summary>
    public void Write(IAnsiConsole console)
    {
        foreach (var (line, style) in Lines(console.Profile.Width))
        {
            if (style.Length == 0 || line.Length >= console.Profile.Width)
            {
                console.WriteUnfolded(line);
            }
            else
            {
                console.MarkupLine($"[{style}]{line.EscapeMarkup()}[/]");
            }
        }
    }

    /// <summary>
    /// The table's lines in a width, with their styles. Only a name, a heading or a number of more characters than the width makes a longer
    /// one.
    /// </summary>
    public IEnumerable<(string Text, string Style)> Lines(int width)
    {
        int[] widths =
        [
            .. titles.Select(
                (title, column) => _rows.Select(row => row.Cells[column]).Append(title).SelectMany(Parts).Max(part => part.Length)
            ),
        ];
        var longest = _rows.Select(row => row.Name.Length).Append(names.Length).Max();
        var isAbove = longest + widths.OrderDescending().Take(2).Sum(column => Gap.Length + column) > width;
        var start = isAbove ? Indent.Length : longest;
        foreach (var (place, block) in Blocks(widths, width - start).Index())
        {
            if (place > 0)
            {
                yield return ("", "");
            }

            string[] head = [.. Lines(names, [.. block.Select(column => (titles[column], widths[column]))], start, isAbove)];
            foreach (var line in head)
            {
                yield return (line, "");
            }

            yield return (new string('-', head.Max(line => line.Length)), "");
            foreach (var row in _rows)
            {
                foreach (
                    var line in Lines(
                        row.Name,
                        [.. block.Select(column => (row.Cells[column], widths[column]))],
                        start,
                        isAbove && row.Name.Length > 0
                    )
                )
                {
                    yield return (line, row.Style);
                }
            }
        }
    }

    private static IEnumerable<string> Lines(string name, IReadOnlyList<(string Text, int Width)> cells, int start, bool isAbove)
    {
        if (isAbove)
        {
            yield return name;
        }

        string[][] parts = [.. cells.Select(cell => Parts(cell.Text))];
        for (var line = 0; line < parts.Max(part => part.Length); line++)
        {
            var metrics = cells.Select((cell, place) => Gap + (line < parts[place].Length ? parts[place][line] : "").PadLeft(cell.Width));
            yield return ((line == 0 && !isAbove ? name : "").PadRight(start) + string.Concat(metrics)).TrimEnd();
        }
    }

    // As many columns a block as fit.
    private static IEnumerable<IReadOnlyList<int>> Blocks(int[] widths, int room)
    {
        var (block, left) = (new List<int>(), room);
        for (var column = 0; column < widths.Length; column++)
        {
            if (block.Count > 0 && left < Gap.Length + widths[column])
            {
                yield return block;
                (block, left) = ([], room);
            }

            block.Add(column);
            left -= Gap.Length + widths[column];
        }

        yield return block;
    }

    private static string[] Parts(string cell) => cell.Split('\n');

    private sealed record Row(string Name, IReadOnlyList<string> Cells, string Style);
}
