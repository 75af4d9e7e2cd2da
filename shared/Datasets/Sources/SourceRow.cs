using System.Text.Json.Nodes;

namespace ClipSae.Datasets.Sources;

/// <summary>One row of a source: a caption for a picture, or the reason why the row has none.</summary>
internal abstract record SourceRow(string Where)
{
    /// <param name="Where">File and line, or the picture.</param>
    /// <param name="Path">Of the picture, relative to the folder, as written in the source.</param>
    /// <param name="NoLabel">What stands in the label's place, if there is none.</param>
    internal sealed record Captioned(
        string Where,
        string Path,
        IReadOnlyList<string> Captions,
        string? Label = null,
        JsonObject? Attributes = null,
        string? NoLabel = null
    ) : SourceRow(Where);

    internal sealed record Unusable(string Where, ImportProblem Problem) : SourceRow(Where);

    /// <summary>What a listing left out, so that it is counted and named.</summary>
    public static IEnumerable<SourceRow> LeftOut(ImageListing listing) =>
        listing.LeftOut.Select(problem => new Unusable(problem.Where, problem));

    public static SourceRow Bad(string where, string detail) =>
        new Unusable(where, new ImportProblem(ImportProblemKind.BadRow, where, detail));
}
