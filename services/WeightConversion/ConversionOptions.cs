using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion;

/// <summary>How a tuned checkpoint becomes one that other programs load, and how that is proved.</summary>
public sealed record ConversionOptions
{
    /// <summary>
    /// Formats to write: <c>openai</c>, <c>openai-pt</c>, <c>huggingface</c>, <c>text-encoder</c>, <c>open-clip</c>, <c>onnx</c>,
    /// <c>gmp</c>, <c>long-clip</c>, <c>peft</c>. Default <c>openai</c>, which a run writes in any case, because the evaluation reads it;
    /// of a SigLIP that is <c>huggingface</c>. Of a model tuned by <c>tuning.adapter</c> it writes <c>peft</c> in any case.
    /// </summary>
    public IReadOnlyList<string> Formats { get; init; } = ["openai"];

    /// <summary>Precision of the written weights. Default float32: nothing is lost. <c>gmp</c> and <c>onnx</c> hold no other.</summary>
    [JsonConverter(typeof(WeightPrecision))]
    public Precision Dtype { get; init; } = Precision.Float32;

    /// <summary>
    /// Largest difference of a feature between source and written weights, as a share of the largest feature. Default (null) 1e-5 for
    /// float32 (rounding of one product by row), 1e-2 for float16 (11-bit mantissas through a dozen layers) and 5e-2 for bfloat16 (8 bits).
    /// </summary>
    [Range(0, 1, MaximumIsExclusive = true)]
    public double? Tolerance { get; init; }

    /// <summary>Random images that go through both towers. Default 4.</summary>
    [Range(1, double.PositiveInfinity)]
    public int ProbeImages { get; init; } = 4;

    /// <summary>Random texts that go through both towers. Default 8.</summary>
    [Range(1, double.PositiveInfinity)]
    public int ProbeTexts { get; init; } = 8;

    /// <summary>Seed of the probes. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>The tolerance that holds when none is given.</summary>
    [JsonIgnore]
    public double EffectiveTolerance =>
        Tolerance
        ?? Dtype switch
        {
            Precision.Float32 => 1e-5,
            Precision.Float16 => 1e-2,
            _ => 5e-2,
        };

    /// <summary>The formats by name, each once.</summary>
    /// <exception cref="UserErrorException">A format is not known.</exception>
    [JsonIgnore]
    public IReadOnlyList<ConversionTarget> Targets => [.. Formats.Distinct(StringComparer.Ordinal).Select(ConversionTarget.Named)];

    /// <summary>For runs that train no adapter.</summary>
    /// <exception cref="UserErrorException">A format holds what an adapter changed.</exception>
    public void RequireNoAdapter()
    {
        if (Targets.FirstOrDefault(target => target.NeedsBase) is { } ofAdapter)
        {
            throw new UserErrorException(
                $"conversion.formats: {ofAdapter.Name} holds what an adapter changed, and this run trains none; "
                    + $"set tuning.adapter, or leave {ofAdapter.Name} out"
            );
        }
    }

    /// <exception cref="UserErrorException">A value is impossible; the message names the key.</exception>
    public void Validate()
    {
        ParameterRules.Require(this, "conversion");
        UserErrorException.ThrowIf(Targets.Count == 0, "conversion.formats is empty; name at least one format");

        if (Dtype != Precision.Float32 && Targets.FirstOrDefault(target => target.IsFloat32Alone) is { } wide)
        {
            throw new UserErrorException(
                $"conversion.formats has {wide.Name}, which supports float32 only, "
                    + $"but conversion.dtype is {Dtype.ToString().ToLowerInvariant()}: convert to {wide.Name} by itself, in float32"
            );
        }
    }
}
