using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace ClipSae.Datasets.Sources;

/// <summary>
/// Captions in JSON: <c>{"path": ["caption", …]}</c> as COCO-SPRIGHT has them, or a list of
/// <c>{"path", "caption" or "captions", "label", "attributes"}</c>, or COCO's own files (<see cref="CocoSource"/>). An
/// <c>attributes.jsonl</c> next to it is joined by path.
/// </summary>
internal sealed record JsonSource(string Folder, string File) : CaptionSource(Folder)
{
    private static readonly JsonDocumentOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    private readonly Lazy<(string Home, IReadOnlyList<SourceRow> Rows)> _read = new(() => Read(Folder, File));

    public override string Home => _read.Value.Home;

    public override IEnumerable<SourceRow> Rows() => _read.Value.Rows;

    private static (string Home, IReadOnlyList<SourceRow> Rows) Read(string folder, string file)
    {
        try
        {
            var bytes = System.IO.File.ReadAllBytes(file);
            UserErrorException.ThrowIf(!Utf8.IsValid(bytes), $"{file} {Utf8Text.Remedy}.");

            using var document = JsonDocument.Parse(
                bytes.AsMemory(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0),
                Lenient
            );
            return CocoSource.Claims(document.RootElement)
                ? CocoSource.Read(document.RootElement, folder, file)
                : (folder, Rows(document.RootElement, file));
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{file} is not valid JSON (line {error.LineNumber + 1}). Fix it or write it again.", error);
        }
        catch (InvalidOperationException error)
        {
            // What the reader says of half a surrogate pair, the one text that JSON can spell and Unicode cannot.
            throw new UserErrorException($"{file} contains half a character (an escape such as \\ud83d alone). Write it again.", error);
        }
    }

    private static IReadOnlyList<SourceRow> Rows(JsonElement root, string file)
    {
        var attributes = ReadAttributes(file);
        return root.ValueKind switch
        {
            JsonValueKind.Object => [.. root.EnumerateObject().Select(property => FromProperty(property, attributes))],
            JsonValueKind.Array =>
            [
                .. root.EnumerateArray().Select((element, index) => FromElement(element, $"{Path.GetFileName(file)}[{index}]")),
            ],
            _ => throw new UserErrorException($"{file} contains neither an object of captions nor a list of annotations."),
        };
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

    private static SourceRow FromElement(JsonElement element, string where)
    {
        if (
            element.ValueKind != JsonValueKind.Object
            || First(element, "path", "filepath", "file", "image", "image_path") is not { ValueKind: JsonValueKind.String } path
        )
        {
            return SourceRow.Bad(where, "no path");
        }

        var given = First(element, "label", "object", "class", "object_label");
        var label = given is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
        var noLabel = given is { ValueKind: JsonValueKind.Number } number
            ? $"the label {number.GetRawText()} is a number: write the name of the class"
            : null;
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

        return new SourceRow.Captioned(where, path.GetString()!, captions, label, attributes, noLabel);
    }

    private static Dictionary<string, JsonObject> ReadAttributes(string file)
    {
        var path = Path.Combine(Path.GetDirectoryName(file)!, "attributes.jsonl");
        var found = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        if (!System.IO.File.Exists(path))
        {
            return found;
        }

        var number = 0;
        foreach (var line in Utf8Text.Lines(path))
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
                throw new UserErrorException($"{path}, line {number}, is not valid JSON. Fix or remove the file.", error);
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

    private static List<string>? Texts(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array when value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String) =>
            [
                .. value.EnumerateArray().Select(one => one.GetString()!),
            ],
            _ => null,
        };

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
