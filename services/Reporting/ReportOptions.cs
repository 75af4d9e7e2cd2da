using System.Text.Json.Serialization;
using ClipSae.Contracts;

namespace ClipSae.Reporting;

/// <summary>What a page shows.</summary>
public sealed record ReportOptions
{
    /// <summary>Curated attacks in the gallery. Default 48: about four rows on a desk, and small as a file.</summary>
    public int Attacks { get; init; } = 48;

    /// <summary>Longest side of an embedded picture, pixels. Default 128: what cards show on a dense display.</summary>
    [JsonPropertyName("pictureSide")]
    public int ImageSide { get; init; } = 128;

    /// <exception cref="UserErrorException">A value is impossible; the message names the key.</exception>
    public void Validate()
    {
        if (Attacks < 0)
        {
            throw new UserErrorException($"report.attacks is {Attacks}; it must not be negative");
        }

        if (ImageSide is < 16 or > 512)
        {
            throw new UserErrorException($"report.pictureSide is {ImageSide}; it must be between 16 and 512");
        }
    }
}
