using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClipSae.Datasets;

/// <summary>
/// What a data set records as printed on a picture (attributes <c>word</c> and <c>font</c>), white space around it taken off, letters in
/// their composed form (NFC), as labels are.
/// </summary>
/// <param name="Word">The word.</param>
/// <param name="Font">Its face, where that is recorded.</param>
public sealed record PrintedText(string Word, string? Font)
{
    /// <summary>The print recorded for a picture, or null where none is.</summary>
    public static PrintedText? On(DatasetItem item) =>
        Text(item.Attributes, "word") is { } word ? new PrintedText(word, Text(item.Attributes, "font")) : null;

    private static string? Text(JsonObject? attributes, string name) =>
        attributes?[name] is { } value
        && value.GetValueKind() == JsonValueKind.String
        && ComposedText.Of(value.GetValue<string>().Trim()) is { Length: > 0 } text
            ? text
            : null;
}
