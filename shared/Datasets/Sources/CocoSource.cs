using System.Text.Json;

namespace ClipSae.Datasets;

/// <summary>
/// Captions as COCO publishes them (<c>captions_val2017.json</c>): <c>images</c> with id and file_name, <c>annotations</c> with image_id and caption.
/// </summary>
internal static class CocoSource
{
    /// <summary>Whether a document has this form.</summary>
    public static bool Claims(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object
        && root.TryGetProperty("images", out var images) && images.ValueKind == JsonValueKind.Array
        && root.TryGetProperty("annotations", out var annotations) && annotations.ValueKind == JsonValueKind.Array;

    /// <summary>A row for each image in the file's order, with all of its captions; then what could not be used.</summary>
    public static IReadOnlyList<SourceRow> Rows(JsonElement root, string file)
    {
        var (order, captions, problems) = (new List<(long Id, string Name)>(), new Dictionary<long, List<string>>(), new List<SourceRow>());
        foreach (var (image, index) in root.GetProperty("images").EnumerateArray().Select((image, index) => (image, index)))
        {
            if (Number(image, "id") is { } id && Text(image, "file_name") is { } name && captions.TryAdd(id, []))
            {
                order.Add((id, name));
            }
            else
            {
                problems.Add(SourceRow.Bad($"{file}:images[{index}]", "no id and file_name of its own"));
            }
        }

        foreach (var (annotation, index) in root.GetProperty("annotations").EnumerateArray().Select((annotation, index) => (annotation, index)))
        {
            if (Number(annotation, "image_id") is { } id && captions.TryGetValue(id, out var own) && Text(annotation, "caption") is { } caption)
            {
                own.Add(caption);
            }
            else
            {
                problems.Add(SourceRow.Bad($"{file}:annotations[{index}]", "no caption of an image of this file"));
            }
        }

        return [.. order.Select(image => new SourceRow.Captioned(image.Name, image.Name, captions[image.Id])), .. problems];
    }

    private static long? Number(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
