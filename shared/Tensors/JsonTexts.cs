using System.Text.Json;

namespace ClipSae.Tensors;

/// <summary>Texts of JSON that comes from outside.</summary>
public static class JsonTexts
{
    /// <summary>
    /// Reads every name and text of a document. The parser looks at them only when they are asked for, and then cannot say any more where
    /// one is that is not Unicode.
    /// </summary>
    /// <exception cref="JsonException">The document is not JSON, or one of its texts is not Unicode; says at which byte.</exception>
    public static void Require(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                {
                    _ = reader.GetString();
                }
            }
        }
        catch (InvalidOperationException failure)
        {
            throw new JsonException($"the text at byte {reader.TokenStartIndex} is not Unicode", failure);
        }
    }
}
