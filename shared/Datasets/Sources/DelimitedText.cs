using System.Text;

namespace ClipSae.Datasets.Sources;

/// <summary>Tables as text in the manner of RFC 4180.</summary>
internal static class DelimitedText
{
    private static readonly char[] Separators = [',', ';', '\t'];

    /// <summary>
    /// What separates the fields of a table: of commas, semicolons (spreadsheets of languages that write 0,5) and tabs, what its heading
    /// has most of outside quotes. A first line <c>sep=;</c>, as Excel reads it, says so itself.
    /// </summary>
    /// <param name="path">The table's file.</param>
    /// <returns>The separator, and the lines before the heading.</returns>
    private static (char Separator, int LinesBefore) Layout(string path)
    {
        var first = Utf8Text.Read(path, reader => reader.ReadLine()) ?? "";
        if (first is ['s' or 'S', 'e' or 'E', 'p' or 'P', '=', var named])
        {
            return (named, 1);
        }

        var isQuoted = false;
        var counts = new int[Separators.Length];
        foreach (var character in first)
        {
            isQuoted ^= character == '"';
            var place = isQuoted ? -1 : Array.IndexOf(Separators, character);
            if (place >= 0)
            {
                counts[place]++;
            }
        }

        return (Separators[Array.IndexOf(counts, counts.Max())], 0);
    }

    /// <summary>Reads a table up to and with its heading.</summary>
    /// <param name="path">The table's file.</param>
    /// <param name="line">Line that the reader is at; moved on.</param>
    /// <returns>What separates its fields, and the heading; null if there is none.</returns>
    public static (char Separator, List<string>? Header) ReadHeading(TextReader reader, string path, ref int line)
    {
        var (separator, before) = Layout(path);
        for (; line <= before; line++)
        {
            reader.ReadLine();
        }

        return (separator, ReadRecord(reader, separator, ref line)?.Fields);
    }

    /// <summary>The next record, or null at the end; quoted fields may hold separators, line ends and doubled quotes.</summary>
    /// <param name="line">Line that the reader is at; moved on.</param>
    /// <returns>The fields and the line on which the record starts.</returns>
    public static (List<string> Fields, int Line)? ReadRecord(TextReader reader, char separator, ref int line)
    {
        if (reader.Peek() < 0)
        {
            return null;
        }

        var (fields, field, quoted, start) = (new List<string>(), new StringBuilder(), false, line);
        for (var next = reader.Read(); next >= 0; next = reader.Read())
        {
            var character = (char)next;
            line += character == '\n' ? 1 : 0;
            if (quoted)
            {
                if (character != '"')
                {
                    field.Append(character);
                }
                else if (reader.Peek() == '"')
                {
                    field.Append((char)reader.Read());
                }
                else
                {
                    quoted = false;
                }
            }
            else if (character == '"' && field.Length == 0)
            {
                quoted = true;
            }
            else if (character == separator)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else if (character == '\n')
            {
                break;
            }
            else if (character != '\r')
            {
                field.Append(character);
            }
        }

        fields.Add(field.ToString());
        return (fields, start);
    }
}
