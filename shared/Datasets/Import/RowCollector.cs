using ClipSae.Datasets.Sources;

namespace ClipSae.Datasets.Import;

/// <summary>
/// Joins a source's rows into items: several captions of a picture become one item, repeats and bad rows become problems.
/// </summary>
internal sealed class RowCollector(string folder, ImportOptions options)
{
    private readonly FolderBoundary _boundary = new(folder);
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public int Rows { get; private set; }

    public List<(DatasetItem Item, string File)> Items { get; } = [];

    public List<ImportProblem> Problems { get; } = [];

    public void Collect(IEnumerable<SourceRow> rows)
    {
        foreach (var row in rows)
        {
            Rows++;
            switch (row)
            {
                case SourceRow.Captioned captioned:
                    Add(captioned);
                    break;
                case SourceRow.Unusable unusable:
                    Problems.Add(unusable.Problem);
                    break;
            }
        }
    }

    private void Add(SourceRow.Captioned row)
    {
        var file = _boundary.Resolve(row.Path, row.Where, out var id, out var problem);
        if (file is null)
        {
            Problems.Add(problem!);
            return;
        }

        var label = row.Label is null ? null : ComposedText.Of(row.Label);
        var captions = row
            .Captions.Select(caption => ComposedText.Of(caption.Trim()))
            .Where(caption => caption.Length > 0)
            .Distinct()
            .ToList();
        if (captions.Count == 0 && label is not null)
        {
            captions.Add(options.ClassCaption.Replace("{class}", label, StringComparison.Ordinal));
        }

        if (captions.Count == 0 || (options.LabelsNeeded && label is null))
        {
            Problems.Add(
                new ImportProblem(ImportProblemKind.NoCaption, id, row.NoLabel ?? (captions.Count == 0 ? "no caption" : "no label"))
            );
            return;
        }

        if (!_places.TryGetValue(id, out var place))
        {
            _places[id] = Items.Count;
            Items.Add((new DatasetItem(id, captions, label, row.Attributes), file));
            return;
        }

        var known = Items[place].Item;
        var fresh = captions.Except(known.Captions).ToList();
        if (fresh.Count == 0 || (label is not null && known.Label is not null && label != known.Label))
        {
            Problems.Add(
                fresh.Count == 0
                    ? new ImportProblem(ImportProblemKind.Duplicate, row.Where, $"{id} with the same captions again")
                    : new ImportProblem(ImportProblemKind.BadRow, row.Where, $"{id} is \"{label}\" here and \"{known.Label}\" before")
            );
            return;
        }

        Items[place] = (known with { Captions = [.. known.Captions, .. fresh] }, file);
    }
}
