using System.Text;

namespace ClipSae.Datasets.Sources;

/// <summary>A text file next to each picture; its first line is the caption (the layout of the upstream attack set).</summary>
internal sealed record SidecarSource(string Folder, ImageListing Listing) : CaptionSource(Folder)
{
    private const int MaxCaptionLength = 10_000;

    public override IEnumerable<SourceRow> Rows()
    {
        foreach (var picture in Listing.Images)
        {
            var text = new FileInfo(Path.ChangeExtension(Path.Combine(Folder, picture), ".txt"));
            yield return text is not { Exists: true, Length: > 0 }
                ? Without(picture, "no .txt with a caption beside it")
                : Captioned(picture, text.FullName);
        }

        foreach (var row in SourceRow.LeftOut(Listing))
        {
            yield return row;
        }
    }

    private static SourceRow Captioned(string picture, string text)
    {
        try
        {
            var caption = FirstLine(text);
            return string.IsNullOrWhiteSpace(caption)
                ? Without(picture, "no .txt with a caption beside it")
                : new SourceRow.Captioned(picture, picture, [caption]);
        }
        catch (DecoderFallbackException)
        {
            return Without(picture, $"the .txt beside it {Utf8Text.Remedy}");
        }
    }

    private static SourceRow.Unusable Without(string picture, string detail) =>
        new(picture, new ImportProblem(ImportProblemKind.NoCaption, picture, detail));

    private static string FirstLine(string path)
    {
        Span<char> buffer = stackalloc char[MaxCaptionLength];
        using var reader = Utf8Text.Strict(path);
        ReadOnlySpan<char> text = buffer[..reader.ReadBlock(buffer)];
        var end = text.IndexOfAny('\r', '\n');
        return text[..(end < 0 ? text.Length : end)].Trim().ToString();
    }
}
