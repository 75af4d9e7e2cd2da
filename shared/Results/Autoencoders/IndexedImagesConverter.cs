using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipSae.Results.Autoencoders;

/// <summary>
/// Reads and writes images of a band as the serializer would, member by member: a large index has half a million of them, and the
/// serializer's own way by constructor takes twice as long for the whole file.
/// </summary>
internal sealed class IndexedImagesConverter : JsonConverter<IReadOnlyList<IndexedImage>>
{
    public override IReadOnlyList<IndexedImage> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        Require(ref reader, JsonTokenType.StartArray);
        var images = new List<IndexedImage>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            images.Add(ReadOne(ref reader));
        }

        return images;
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<IndexedImage> value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var (image, activation) in value)
        {
            writer.WriteStartObject();
            writer.WriteNumber("image"u8, image);
            writer.WriteNumber("activation"u8, activation);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static IndexedImage ReadOne(ref Utf8JsonReader reader)
    {
        Require(ref reader, JsonTokenType.StartObject);
        var (image, activation) = (default(int?), default(double?));
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("image"u8))
            {
                reader.Read();
                image = reader.GetInt32();
            }
            else if (reader.ValueTextEquals("activation"u8))
            {
                reader.Read();
                activation = reader.GetDouble();
            }
            else
            {
                throw new JsonException($"'{reader.GetString()}' is no member of an image");
            }
        }

        return image is { } place && activation is { } most
            ? new IndexedImage(place, most)
            : throw new JsonException("'image' or 'activation' is missing");
    }

    private static void Require(ref Utf8JsonReader reader, JsonTokenType expected)
    {
        if (reader.TokenType != expected)
        {
            throw new JsonException($"{expected} is expected in place of {reader.TokenType}");
        }
    }
}
