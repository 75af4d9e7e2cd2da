namespace ClipSae.Datasets;

/// <summary>A text file beside each picture; its first line is the caption (the layout of the upstream attack set).</summary>
internal sealed record SidecarSource(string Folder, IReadOnlyList<string> Pictures) : CaptionSource(Folder)
{
    private const int LongestCaption = 10_000;

    public override IEnumerable<SourceRow> Rows()
    {
        foreach (var picture in Pictures)
        {
            var text = new FileInfo(Path.ChangeExtension(Path.Combine(Folder, picture), ".txt"));
            var caption = text is { Exists: true, Length: > 0 } ? FirstLine(text.FullName) : null;
            yield return string.IsNullOrWhiteSpace(caption)
                ? new SourceRow.Unusable(picture, new ImportProblem(ImportProblemKind.NoCaption, picture, "no .txt with a caption beside it"))
                : new SourceRow.Captioned(picture, picture, [caption]);
        }
    }

    private static string FirstLine(string path)
    {
        Span<char> buffer = stackalloc char[LongestCaption];
        using var reader = new StreamReader(path);
        ReadOnlySpan<char> text = buffer[..reader.ReadBlock(buffer)];
        var end = text.IndexOfAny('\r', '\n');
        return text[..(end < 0 ? text.Length : end)].Trim().ToString();
    }
}
