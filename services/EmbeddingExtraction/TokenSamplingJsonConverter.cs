using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Reads and writes <see cref="TokenSampling"/> as <c>"all"</c> or a number.</summary>
internal sealed class TokenSamplingJsonConverter : JsonConverter<TokenSampling>
{
    private const string All = "all";

    public override TokenSampling Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType switch
        {
            JsonTokenType.Number when reader.TryGetInt32(out var count) => new TokenSampling.Sampled(count),
            JsonTokenType.String when reader.GetString() == All => new TokenSampling.All(),
            _ => throw new JsonException("expected \"all\" or a number"),
        };

    public override void Write(Utf8JsonWriter writer, TokenSampling value, JsonSerializerOptions options)
    {
        if (value is TokenSampling.Sampled sampled)
        {
            writer.WriteNumberValue(sampled.Count);
        }
        else
        {
            writer.WriteStringValue(All);
        }
    }
}
