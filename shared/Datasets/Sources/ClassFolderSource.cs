namespace ClipSae.Datasets;

/// <summary>A folder a class: the first folder of a picture's path names what it shows.</summary>
internal sealed record ClassFolderSource(string Folder, IReadOnlyList<string> Pictures, string Caption) : CaptionSource(Folder)
{
    public override IEnumerable<SourceRow> Rows()
    {
        foreach (var picture in Pictures)
        {
            var slash = picture.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0)
            {
                yield return new SourceRow.Unusable(picture, new ImportProblem(ImportProblemKind.NoCaption, picture, "in no class folder"));
                continue;
            }

            var label = picture[..slash].Replace('_', ' ');
            yield return new SourceRow.Captioned(picture, picture, [Caption.Replace("{class}", label, StringComparison.Ordinal)], label);
        }
    }
}
