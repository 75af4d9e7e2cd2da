using System.ComponentModel.DataAnnotations;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Reporting;

/// <summary>What a page shows.</summary>
public sealed record ReportOptions
{
    /// <summary>Curated attacks in the gallery. Default 48: about four rows on a desk, and small as a file.</summary>
    [Range(0, double.PositiveInfinity)]
    public int Attacks { get; init; } = 48;

    /// <summary>Longest side of an embedded picture, pixels. Default 128: what cards show on a dense display.</summary>
    [Range(16, 512)]
    public int ImageSide { get; init; } = 128;

    /// <exception cref="UserErrorException">A value is impossible; the message names the key.</exception>
    public void Validate() => ParameterRules.Require(this, "report");
}
