namespace ClipSae.Datasets.Sources;

/// <summary>Names of what can be wrong with a row, as counted in manifests.</summary>
public static class ImportProblemKind
{
    /// <summary>The caption file names a picture that is not there.</summary>
    public const string MissingFile = "missing-file";

    /// <summary>The path leads out of the data set's folder, directly or by a link.</summary>
    public const string OutsideFolder = "outside-folder";

    /// <summary>The file is no readable picture, or one beyond the limits.</summary>
    public const string UnreadableImage = "unreadable-picture";

    /// <summary>The row lacks a column, a caption or a path.</summary>
    public const string BadRow = "bad-row";

    /// <summary>A picture without caption or, where they are needed, label.</summary>
    public const string NoCaption = "no-caption";

    /// <summary>The same picture with the same caption again.</summary>
    public const string Duplicate = "duplicate";
}
