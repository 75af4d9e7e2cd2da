namespace ClipSae.Datasets.Sources;

/// <summary>Where the captions of a folder come from.</summary>
internal abstract record CaptionSource(string Folder)
{
    private static readonly string[] UsualNames =
    [
        "annotations.json",
        "captions.json",
        "labels.json",
        "captions.csv",
        "captions.tsv",
        "annotations.csv",
        "annotations.tsv",
    ];

    /// <summary>The folder that rows' paths are relative to, and that none may leave.</summary>
    public virtual string Home => Folder;

    /// <summary>Rows in an order that depends on the content alone.</summary>
    public abstract IEnumerable<SourceRow> Rows();

    /// <summary>Takes the caption file given, or looks for what the folder offers.</summary>
    /// <exception cref="UserErrorException">The folder or file is missing, or no captions are found.</exception>
    public static CaptionSource Find(string folder, ImportOptions options)
    {
        UserErrorException.ThrowIf(
            !Directory.Exists(folder),
            $"The data set folder {folder} does not exist. Give a folder of captioned pictures."
        );

        if (options.CaptionFile is not null)
        {
            var path = Path.Combine(folder, options.CaptionFile);
            return File.Exists(path) ? FromFile(folder, path) : throw new UserErrorException($"The caption file {path} does not exist.");
        }

        if (UsualNames.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } usual)
        {
            return FromFile(folder, usual);
        }

        if (Directory.EnumerateFiles(folder, MvtSource.UsualName).FirstOrDefault() is { } responses)
        {
            return FromFile(folder, responses);
        }

        if (CocoSource.FileIn(folder) is { } annotations)
        {
            return FromFile(folder, annotations);
        }

        var listing = ImageListing.Of(folder);
        var pictures = listing.Images;
        if (pictures.Count == 0)
        {
            var found =
                listing.LeftOut.Count == 0
                    ? ""
                    : $" in a supported format; {listing.LeftOut.Count} other files are there, "
                        + $"first {listing.LeftOut[0].Where}: {listing.LeftOut[0].Detail}";
            throw new UnsuitableDatasetException(
                $"The data set {folder} is empty: it contains no caption file and no pictures ({ImageListing.Extensions}){found}."
            );
        }

        if (pictures.Any(picture => File.Exists(Path.ChangeExtension(Path.Combine(folder, picture), ".txt"))))
        {
            return new SidecarSource(folder, listing);
        }

        if (pictures.Any(picture => FileNameSource.Parse(picture) is not null))
        {
            return new FileNameSource(folder, listing, options.ClassCaption);
        }

        return pictures.Any(picture => picture.Contains('/', StringComparison.Ordinal))
            ? ClassFolderSource.Of(folder, listing, options.ClassCaption)
            : throw new UserErrorException(
                $"The data set {folder} has no captions: add captions.json "
                    + "({\"picture.png\": [\"caption\"]}), a CSV with filepath and caption, "
                    + "a .txt next to each picture, or one folder per class."
            );
    }

    private static CaptionSource FromFile(string folder, string path)
    {
        // Asked before opening: a pipe has no length, and reading it could block for ever.
        UserErrorException.ThrowIf(new FileInfo(path).Length == 0, $"The caption file {path} is empty, or no regular file.");

        return Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".JSON" => new JsonSource(folder, path),
            ".CSV" when MvtSource.Claims(path) => new MvtSource(folder, path),
            ".CSV" or ".TSV" or ".TXT" => new TableSource(folder, path),
            _ => throw new UserErrorException($"The caption file {path} is neither .json, .csv nor .tsv."),
        };
    }
}
