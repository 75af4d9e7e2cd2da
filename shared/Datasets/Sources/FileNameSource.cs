using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ClipSae.Datasets.Sources;

/// <summary>File names that say it all: <c>label=dog_text=cat.png</c> (the layout of typographic attack sets such as RTA-100).</summary>
internal sealed partial record FileNameSource(string Folder, ImageListing Listing, string Caption) : CaptionSource(Folder)
{
    /// <summary>What a name says, or null if it says nothing.</summary>
    public static (string Label, string? Word)? Parse(string picture)
    {
        var match = Pattern().Match(Path.GetFileNameWithoutExtension(picture));
        return match.Success
            ? (
                Spaced(match.Groups["label"].Value),
                match.Groups["text"] is { Success: true, Value.Length: > 0 } text ? Spaced(text.Value) : null
            )
            : null;

        static string Spaced(string name) => name.Replace('_', ' ');
    }

    public override IEnumerable<SourceRow> Rows()
    {
        foreach (var picture in Listing.Images)
        {
            yield return Parse(picture) is { } said
                ? new SourceRow.Captioned(
                    picture,
                    picture,
                    [Caption.Replace("{class}", said.Label, StringComparison.Ordinal)],
                    said.Label,
                    said.Word is null ? null : new JsonObject { ["word"] = said.Word }
                )
                : new SourceRow.Unusable(picture, new ImportProblem(ImportProblemKind.NoCaption, picture, "name without label="));
        }

        foreach (var row in SourceRow.LeftOut(Listing))
        {
            yield return row;
        }
    }

    [GeneratedRegex(@"^(?:.*_)?label=(?<label>[^=]+?)(?:_text=(?<text>[^=]*?))?(?:_\d+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
