using System.Text.Json.Nodes;

namespace ClipSae.Datasets.Sources;

/// <summary>
/// Captions in a table with a header, its fields separated by commas, semicolons or tabs, as open_clip reads them: a column for the picture
/// (filepath, path, file, image) and one for the caption (caption, title, text_caption), optionally label and word. A picture on several
/// rows gets several captions. SCAM's object_label and attack_word are read as label and word.
/// </summary>
internal sealed record TableSource(string Folder, string File) : CaptionSource(Folder)
{
    private static readonly string[] PathNames = ["filepath", "path", "file", "image", "filename", "image_path"];
    private static readonly string[] CaptionNames = ["caption", "title", "captions"];
    private static readonly string[] LabelNames = ["label", "class", "object", "object_label"];
    private static readonly string[] WordNames = ["word", "text", "attack_word"];

    public override IEnumerable<SourceRow> Rows() => Utf8Text.Read(File, Rows);

    private List<SourceRow> Rows(TextReader reader)
    {
        var line = 1;
        var (separator, heading) = DelimitedText.ReadHeading(reader, File, ref line);
        var header = heading ?? throw new UserErrorException($"The caption file {File} is empty.");
        var (path, caption, label, word) = (
            Column(header, PathNames),
            Column(header, CaptionNames),
            Column(header, LabelNames),
            Column(header, WordNames)
        );
        UserErrorException.ThrowIf(
            path < 0 || (caption < 0 && label < 0),
            $"The caption file {File} has the columns {string.Join(", ", header)}; "
                + $"it needs filepath and caption in its first line, separated by commas, semicolons or tabs."
        );

        var rows = new List<SourceRow>();
        while (DelimitedText.ReadRecord(reader, separator, ref line) is var (fields, start))
        {
            var where = $"{Path.GetFileName(File)}:{start}";
            if (fields is [""])
            {
                continue;
            }

            if (fields.Count != header.Count || fields[path].Length == 0)
            {
                rows.Add(
                    SourceRow.Bad(where, fields.Count != header.Count ? $"{fields.Count} columns instead of {header.Count}" : "no path")
                );
                continue;
            }

            var attributes = word >= 0 && fields[word].Length > 0 ? new JsonObject { ["word"] = fields[word] } : null;
            string? said = label >= 0 && fields[label].Length > 0 ? fields[label] : null;
            rows.Add(new SourceRow.Captioned(where, fields[path], caption < 0 ? [] : [fields[caption]], said, attributes));
        }

        return rows;
    }

    private static int Column(List<string> header, string[] names) =>
        header.FindIndex(name => names.Contains(name.Trim(), StringComparer.OrdinalIgnoreCase));
}
