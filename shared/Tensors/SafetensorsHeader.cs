using System.Text;
using System.Text.Json;

namespace ClipSae.Tensors;

/// <summary>
/// The parsed and checked header of a safetensors file: 8 bytes of length, then JSON. Nothing in it is believed until it
/// agrees with the size of the file; like the original library, tensors must fill the data part without overlap or hole.
/// </summary>
/// <param name="Entries">Tensors by name.</param>
/// <param name="Metadata">The free-form <c>__metadata__</c> strings.</param>
internal sealed record SafetensorsHeader(IReadOnlyDictionary<string, TensorEntry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>The original library refuses longer headers too (safetensors 0.4, <c>MAX_HEADER_SIZE</c>).</summary>
    public const long MaxHeaderLength = 100_000_000;

    private const string MetadataKey = "__metadata__";

    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> json, long dataStart, long fileLength)
    {
        var entries = new Dictionary<string, TensorEntry>(StringComparer.Ordinal);
        IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        try
        {
            Expect(ref reader, JsonTokenType.StartObject);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (name == MetadataKey)
                {
                    metadata = ParseMetadata(ref reader);
                }
                else if (!entries.TryAdd(name, ParseEntry(path, name, ref reader, dataStart, fileLength)))
                {
                    throw Refuse(path, $"key '{name}' appears twice in the header");
                }
            }
        }
        catch (Exception failure)
            when (failure is JsonException or InvalidOperationException or FormatException or DecoderFallbackException)
        {
            throw Refuse(
                path,
                $"the header is not valid JSON of tensors at byte {dataStart - json.Length + reader.TokenStartIndex} ({failure.Message})"
            );
        }

        CheckCoverage(path, entries.Values, dataStart, fileLength);
        return new SafetensorsHeader(entries, metadata);
    }

    public static UserErrorException Refuse(string path, string reason) =>
        new($"{path}: not a usable safetensors file: {reason}. Download or export the file again.");

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new JsonException($"expected {type}");
        }
    }

    private static Dictionary<string, string> ParseMetadata(ref Utf8JsonReader reader)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("__metadata__ is not an object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            metadata[key] = reader.GetString() ?? throw new JsonException($"__metadata__.{key} is not a string");
        }

        return metadata;
    }

    private static TensorEntry ParseEntry(string path, string name, ref Utf8JsonReader reader, long dataStart, long fileLength)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Refuse(path, $"key '{name}' does not describe a tensor");
        }

        string? dtype = null;
        List<long>? shape = null,
            offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString();
            reader.Read();
            switch (field)
            {
                case "dtype":
                    dtype = reader.GetString();
                    break;
                case "shape":
                    shape = ParseNumbers(path, name, ref reader);
                    break;
                case "data_offsets":
                    offsets = ParseNumbers(path, name, ref reader);
                    break;
                default:
                    throw Refuse(path, $"key '{name}' has the unknown field '{field}'");
            }
        }

        if (dtype is null || shape is null || offsets is not [var begin, var end])
        {
            throw Refuse(path, $"key '{name}' lacks dtype, shape or two data_offsets");
        }

        var size = SafetensorsDtype.Size(dtype) ?? throw Refuse(path, $"key '{name}' has the unknown dtype '{dtype}'");
        var data = fileLength - dataStart;
        if (begin > end || end > data)
        {
            throw Refuse(path, $"key '{name}' claims bytes {begin}..{end}, but the file holds {data} bytes of data");
        }

        // In 128 bits, because a lying shape may overflow 64.
        var bytes = shape.Aggregate((Int128)size, (product, n) => product > long.MaxValue ? product : product * n);
        if (bytes != end - begin)
        {
            throw Refuse(path, $"key '{name}' is {dtype} [{string.Join(", ", shape)}], which does not take {end - begin} bytes");
        }

        return new TensorEntry(name, dtype, shape, dataStart + begin, end - begin);
    }

    private static List<long> ParseNumbers(string path, string name, ref Utf8JsonReader reader)
    {
        var numbers = new List<long>();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Refuse(path, $"key '{name}' has a shape or data_offsets that is not a list");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
            {
                throw Refuse(path, $"key '{name}' has a size or offset that is not a whole number from 0 up");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private static void CheckCoverage(string path, IEnumerable<TensorEntry> entries, long dataStart, long fileLength)
    {
        var position = dataStart;
        foreach (var entry in entries.OrderBy(e => e.Offset).ThenBy(e => e.Length))
        {
            if (entry.Offset != position)
            {
                var what = entry.Offset < position ? "overlaps the tensor before it" : "leaves a hole before it";
                throw Refuse(path, $"key '{entry.Name}' {what}");
            }

            position += entry.Length;
        }

        if (position != fileLength)
        {
            throw Refuse(path, $"{fileLength - position} bytes after the last tensor belong to none");
        }
    }
}
