using System.Text.Json.Serialization;
using ClipSae.Contracts;

namespace ClipSae.WeightConversion;

/// <summary>How a tuned checkpoint becomes one that other programs load, and how that is proved.</summary>
public sealed record ConversionOptions
{
    /// <summary>Precision of the written weights. Default float32: nothing is lost.</summary>
    public ConversionDtype Dtype { get; init; } = ConversionDtype.Float32;

    /// <summary>
    /// Largest difference of a feature between source and written weights, as a share of the largest feature. Default (null) 1e-5 for float32
    /// (rounding of one product by row) and 1e-2 for float16 (11-bit mantissas through a dozen layers).
    /// </summary>
    public double? Tolerance { get; init; }

    /// <summary>Random images that go through both towers. Default 4.</summary>
    public int ProbeImages { get; init; } = 4;

    /// <summary>Random texts that go through both towers. Default 8.</summary>
    public int ProbeTexts { get; init; } = 8;

    /// <summary>Seed of the probes. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>The tolerance that holds when none is given.</summary>
    [JsonIgnore]
    public double EffectiveTolerance => Tolerance ?? (Dtype == ConversionDtype.Float32 ? 1e-5 : 1e-2);

    /// <exception cref="UserErrorException">A value is impossible; the message names the key.</exception>
    public void Validate()
    {
        if (EffectiveTolerance is not (>= 0 and < 1))
        {
            throw new UserErrorException($"conversion.tolerance is {Tolerance}; it must be at least 0 and below 1");
        }

        if (ProbeImages < 1 || ProbeTexts < 1)
        {
            throw new UserErrorException($"conversion.probeImages is {ProbeImages} and conversion.probeTexts {ProbeTexts}; the proof needs at least one of each");
        }
    }
}
