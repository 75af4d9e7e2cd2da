namespace ClipSae.Datasets.Sources;

/// <summary>A folder a class: the first folder of a picture's path names what it shows.</summary>
internal sealed record ClassFolderSource(string Folder, ImageListing Listing, string Caption) : CaptionSource(Folder)
{
    private static readonly string[] Splits = ["train", "training", "val", "valid", "validation", "dev", "test", "testing"];

    /// <exception cref="UserErrorException">The folders are no classes but the parts of a split data set.</exception>
    public static ClassFolderSource Of(string folder, ImageListing listing, string caption)
    {
        string[] folders =
        [
            .. listing
                .Images.Where(picture => picture.Contains('/', StringComparison.Ordinal))
                .Select(FirstFolder)
                .Distinct(StringComparer.Ordinal),
        ];
        return folders.All(name => Splits.Contains(name, StringComparer.OrdinalIgnoreCase))
            ? throw new UserErrorException(
                $"The data set {folder} is split into {string.Join(" and ", folders)}, which are not classes. "
                    + $"Specify the part to use, such as {Path.Combine(folder, folders[^1])}."
            )
            : new ClassFolderSource(folder, listing, caption);
    }

    public override IEnumerable<SourceRow> Rows()
    {
        foreach (var picture in Listing.Images)
        {
            if (!picture.Contains('/', StringComparison.Ordinal))
            {
                yield return new SourceRow.Unusable(picture, new ImportProblem(ImportProblemKind.NoCaption, picture, "in no class folder"));
                continue;
            }

            var label = FirstFolder(picture).Replace('_', ' ');
            yield return new SourceRow.Captioned(picture, picture, [Caption.Replace("{class}", label, StringComparison.Ordinal)], label);
        }

        foreach (var row in SourceRow.LeftOut(Listing))
        {
            yield return row;
        }
    }

    private static string FirstFolder(string picture) => picture[..picture.IndexOf('/', StringComparison.Ordinal)];
}
