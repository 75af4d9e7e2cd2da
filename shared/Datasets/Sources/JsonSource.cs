using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Contracts;

namespace ClipSae.Datasets;

/// <summary>
/// Captions in JSON: <c>{"path": ["caption", …]}</c> as COCO-SPRIGHT has them, or a list of
/// <c>{"path", "caption" or "captions", "label", "attributes"}</c>, or COCO's own files (<see cref="CocoSource"/>). An <c>attributes.jsonl</c> beside it is joined by path.
/// </summary>
internal sealed record JsonSource(string Folder, string File) : CaptionSource(Folder)
{
    private static readonly JsonDocumentOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    public override IEnumerable<SourceRow> Rows()
    {
        using var document = Open();
        if (CocoSource.Claims(document.RootElement))
        {
            return CocoSource.Rows(document.RootElement, Path.GetFileName(File));
        }

        var attributes = ReadAttributes();
        return document.RootElement.ValueKind switch
        {
            JsonValueKind.Object => [.. document.RootElement.EnumerateObject().Select(property => FromProperty(property, attributes))],
            JsonValueKind.Array => [.. document.RootElement.EnumerateArray().Select(FromElement)],
            _ => throw new UserErrorException($"{File} holds neither an object of captions nor a list of annotations."),
        };
    }

    private JsonDocument Open()
    {
        try
        {
            using var stream = System.IO.File.OpenRead(File);
            return JsonDocument.Parse(stream, Lenient);
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{File} is not valid JSON (line {error.LineNumber + 1}). Mend it or write it again.", error);
        }
    }

    private static SourceRow FromProperty(JsonProperty property, Dictionary<string, JsonObject> attributes)
    {
        var captions = Texts(property.Value);
        if (captions is null)
        {
            return SourceRow.Bad(property.Name, "captions are neither a text nor a list of texts");
        }

        attributes.TryGetValue(property.Name, out var more);
        var label = more is null ? null : Text(more["label"]) ?? Text(more["object"]) ?? Text(more["word"]);
        return new SourceRow.Captioned(property.Name, property.Name, captions, label, more);
    }

    private SourceRow FromElement(JsonElement element, int index)
    {
        var where = $"{Path.GetFileName(File)}[{index}]";
        if (element.ValueKind != JsonValueKind.Object || First(element, "path", "filepath", "file", "image", "image_path") is not { ValueKind: JsonValueKind.String } path)
        {
            return SourceRow.Bad(where, "no path");
        }

        var label = First(element, "label", "object", "class", "object_label") is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
        var captions = First(element, "captions", "caption") is { } found ? Texts(found) : [];
        if (captions is null)
        {
            return SourceRow.Bad(where, "captions are neither a text nor a list of texts");
        }

        var attributes = First(element, "attributes") is { ValueKind: JsonValueKind.Object } more ? JsonObject.Create(more.Clone()) : null;
        if (First(element, "word", "text", "attack_word") is { ValueKind: JsonValueKind.String } word)
        {
            (attributes ??= [])["word"] = word.GetString();
        }

        return new SourceRow.Captioned(where, path.GetString()!, captions, label, attributes);
    }

    private Dictionary<string, JsonObject> ReadAttributes()
    {
        var path = Path.Combine(Path.GetDirectoryName(File)!, "attributes.jsonl");
        var found = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        if (!System.IO.File.Exists(path))
        {
            return found;
        }

        var number = 0;
        foreach (var line in System.IO.File.ReadLines(path))
        {
            number++;
            try
            {
                if (JsonNode.Parse(line) is JsonObject one && Text(one["path"]) is { } picture)
                {
                    one.Remove("path");
                    found[picture] = one;
                }
            }
            catch (JsonException error)
            {
                throw new UserErrorException($"{path}, line {number}, is not valid JSON. Mend or remove the file.", error);
            }
        }

        return found;
    }

    private static JsonElement? First(JsonElement element, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (element.TryGetProperty(name, out var value))
            {
                return value;
            }
        }

        return null;
    }

    private static List<string>? Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array when value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String) =>
            [.. value.EnumerateArray().Select(one => one.GetString()!)],
        _ => null,
    };

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
