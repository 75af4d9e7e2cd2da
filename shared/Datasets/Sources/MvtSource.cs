using System.Text;
using System.Text.Json.Nodes;

namespace ClipSae.Datasets.Sources;

/// <summary>
/// Images of the minimum viewing time study (MVT, objectnet.dev/mvt): <c>human_responses.csv</c> has a row for each answer of a person,
/// with the columns image, image_duration, label, response, response_time, worker_id, objectnet and response_options. An image is taken
/// once, with its label; the fifty names of response_options (a Python list) are the classes that the set prescribes, and where the column
/// is missing, the labels. Images are next to the file or in <c>all/</c>.
/// </summary>
internal sealed record MvtSource(string Folder, string File) : CaptionSource(Folder)
{
    /// <summary>Name of the published file, with room for shortened ones.</summary>
    public const string UsualName = "human_responses*.csv";

    private const string ImageColumn = "image";
    private const string LabelColumn = "label";
    private const string OptionsColumn = "response_options";
    private const string ImageFolder = "all";

    /// <summary>Whether a table is one of this study: by its name or by the options that it lists.</summary>
    public static bool Claims(string path)
    {
        if (Path.GetFileName(path).StartsWith("human_responses", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        return Utf8Text.Read(path, reader => reader.ReadLine())?.Split(',', ';', '\t').Contains(OptionsColumn, StringComparer.Ordinal)
            == true;
    }

    public override IEnumerable<SourceRow> Rows() => Utf8Text.Read(File, Rows);

    private List<SourceRow> Rows(TextReader reader)
    {
        var line = 1;
        var (separator, heading) = DelimitedText.ReadHeading(reader, File, ref line);
        var header = heading ?? throw new UserErrorException($"The file {File} is empty.");
        var (image, label, options) = (header.IndexOf(ImageColumn), header.IndexOf(LabelColumn), header.IndexOf(OptionsColumn));
        if (image < 0 || label < 0)
        {
            var missing = new[] { (ImageColumn, image), (LabelColumn, label) }
                .Where(column => column.Item2 < 0)
                .Select(column => column.Item1);
            throw new UserErrorException(
                $"{File} has the columns {string.Join(", ", header)}; as a file of MVT it needs {string.Join(" and ", missing)} "
                    + "too. Give the published human_responses.csv, or rename the table if it is of another kind."
            );
        }

        var found = new List<SourceRow>();
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var choices = new List<string>();
        while (DelimitedText.ReadRecord(reader, separator, ref line) is var (fields, start))
        {
            if (fields is [""])
            {
                continue;
            }

            var where = $"{Path.GetFileName(File)}:{start}";
            if (fields.Count != header.Count || fields[image].Length == 0 || fields[label].Length == 0)
            {
                found.Add(
                    SourceRow.Bad(
                        where,
                        fields.Count != header.Count ? $"{fields.Count} columns instead of {header.Count}"
                            : fields[image].Length == 0 ? "no image"
                            : "no label"
                    )
                );
                continue;
            }

            if (options >= 0 && seen.Add(fields[options]))
            {
                choices.AddRange(List(fields[options], where).Except(choices, StringComparer.Ordinal));
            }

            if (labels.TryAdd(fields[image], fields[label]))
            {
                found.Add(new SourceRow.Captioned(where, InFolder(fields[image]), [], fields[label]));
            }
            else if (labels[fields[image]] != fields[label])
            {
                found.Add(SourceRow.Bad(where, $"{fields[image]} is \"{fields[label]}\" here and \"{labels[fields[image]]}\" before"));
            }
        }

        return
        [
            .. found.Select(row =>
                row is SourceRow.Captioned captioned && choices.Count > 0
                    ? captioned with
                    {
                        Attributes = new JsonObject
                        {
                            ["choices"] = new JsonArray([.. choices.Select(choice => JsonValue.Create(choice))]),
                        },
                    }
                    : row
            ),
        ];
    }

    private string InFolder(string image) =>
        !System.IO.File.Exists(Path.Combine(Folder, image)) && System.IO.File.Exists(Path.Combine(Folder, ImageFolder, image))
            ? $"{ImageFolder}/{image}"
            : image;

    /// <summary>The texts of a list as Python writes it: <c>['T-shirt', "a cook's hat"]</c>.</summary>
    private IEnumerable<string> List(string text, string where)
    {
        var items = new List<string>();
        StringBuilder? item = null;
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            if (item is null)
            {
                if (text[i] is '\'' or '"')
                {
                    (item, quote) = (new StringBuilder(), text[i]);
                }
            }
            else if (text[i] == '\\' && i + 1 < text.Length)
            {
                item.Append(text[++i]);
            }
            else if (text[i] == quote)
            {
                items.Add(item.ToString());
                item = null;
            }
            else
            {
                item.Append(text[i]);
            }
        }

        return item is null && items.Count > 1 && text.Trim() is ['[', .., ']']
            ? items
            : throw new UserErrorException(
                $"{File}: {where}: {OptionsColumn} is not a list of class names ({(text.Length > 40 ? text[..40] + "…" : text)})."
            );
    }
}
