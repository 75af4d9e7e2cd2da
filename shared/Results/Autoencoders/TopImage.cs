using System.Text.Json.Serialization;

namespace ClipSae.Results.Autoencoders;

/// <summary>An image that excites a feature, or the image of a caption that does.</summary>
/// <param name="Id">Its path in the data set.</param>
/// <param name="Activation">How strongly.</param>
public sealed record TopImage(string Id, double Activation)
{
    /// <summary>The caption that excites it, where the feature reads texts.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Caption { get; init; }
}
