using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ClipSae.Datasets.Drawing;

/// <summary>Everything that is needed to draw one word on a picture again, pixel for pixel.</summary>
/// <param name="Word">What it says (or would say, for a control).</param>
/// <param name="Font">Name in the <see cref="FontCatalogue"/>.</param>
/// <param name="Size">Font size, pixels.</param>
/// <param name="X">Left edge of the plate before rotation, pixels.</param>
/// <param name="Y">Top edge of the plate before rotation, pixels.</param>
/// <param name="Ink">Colour of the letters, "#rrggbb".</param>
/// <param name="Plate">Colour of the plate under the word; null for none.</param>
/// <param name="Outline">Colour of an outline around each letter; null for none.</param>
/// <param name="Rotation">Degrees clockwise about the plate's centre.</param>
/// <param name="Overlay">The word or a control in its place.</param>
/// <param name="Seed">What the strokes and the shuffle of a control are drawn from.</param>
/// <param name="Case">Letters that the word is printed in.</param>
/// <param name="Curve">Angle of the arc that the letters stand on, degrees; 0 is a straight line.</param>
/// <param name="Transparency">Share of the picture that shows through.</param>
public sealed record WordPlacement(
    string Word,
    string Font,
    double Size,
    double X,
    double Y,
    string Ink,
    string? Plate = null,
    string? Outline = null,
    double Rotation = 0,
    WordOverlay Overlay = WordOverlay.Word,
    long Seed = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] WordCase Case = WordCase.AsGiven,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] double Curve = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] double Transparency = 0
)
{
    /// <summary>The word's letters as they are drawn.</summary>
    internal string Letters => Case == WordCase.Upper ? Word.ToUpperInvariant() : Word;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>As recorded in attributes and manifests.</summary>
    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, Json)!.AsObject();

    /// <summary>Reads back what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The node is no placement.</exception>
    public static WordPlacement Parse(JsonNode node) =>
        node.Deserialize<WordPlacement>(Json) ?? throw new JsonException("A word placement is null.");
}
