using System.Text.Json;
using System.Text.Json.Serialization;
using ClipSae.Tensors;

namespace ClipSae.WeightConversion.Weights;

/// <summary>
/// Precision of written weights. In float16 and bfloat16, convolution, linear layers, attention and projections are narrow, and LayerNorm
/// and embeddings float32, as OpenAI's <c>convert_weights</c> has it.
/// </summary>
/// <remarks>Parameters and proofs spell one of them <c>bFloat16</c>, as they did from the start: keys and digests follow from it.</remarks>
public sealed class WeightPrecision : JsonConverter<Precision>
{
    /// <summary>As parameters and proofs have it.</summary>
    public static string StoredName(Precision precision) =>
        precision == Precision.Bfloat16 ? "bFloat16" : JsonNamingPolicy.CamelCase.ConvertName(precision.ToString());

    /// <inheritdoc/>
    public override Precision Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        (reader.TokenType == JsonTokenType.String ? reader.GetString()!.ToLowerInvariant() : "") switch
        {
            "float32" => Precision.Float32,
            "float16" => Precision.Float16,
            "bfloat16" => Precision.Bfloat16,
            _ => throw new JsonException("expected float32, float16 or bfloat16"),
        };

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Precision value, JsonSerializerOptions options) =>
        writer.WriteStringValue(StoredName(value));
}
