using System.Globalization;
using ClipSae.Clip.Checkpoints;
using ClipSae.Tensors;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>
/// WiSE-FT (arXiv 2109.01903): the weights between a base and its fine-tuned model, <c>(1 − α)·base + α·tuned</c>. Plain weights are mixed,
/// never r and θ, which are not linear in them (science, section 2).
/// </summary>
public static class WeightInterpolation
{
    /// <summary>
    /// Writes one safetensors file under OpenAI's keys, float32; at α 0 and 1 it holds the one or the other model exactly.
    /// </summary>
    /// <param name="alpha">Share of the tuned model, 0 to 1.</param>
    /// <exception cref="UserErrorException">The models are not of one architecture, α is out of its range, or the file cannot be
    /// written.</exception>
    public static void Write(ConversionSource @base, ConversionSource tuned, double alpha, string path, CancellationToken cancel = default)
    {
        if (alpha is not (>= 0 and <= 1))
        {
            throw new UserErrorException(
                string.Create(CultureInfo.InvariantCulture, $"alpha is {alpha}; it must be from 0 (base) to 1 (tuned)")
            );
        }

        using var from = @base.Open();
        using var to = tuned.Open();
        Check(@base, from, tuned, to);
        var (start, end) = (new PlainWeights(from), new PlainWeights(to));
        SafetensorsWriter.WriteStreaming(
            path,
            start.Shapes.Select(weight => new TensorLayout(weight.Key, torch.ScalarType.Float32, weight.Value)),
            key => Mix(start, end, alpha, key, cancel),
            ModelTraits.Added(
                new Dictionary<string, string>
                {
                    ["format"] = "pt",
                    ["keys"] = "openai",
                    ["wise_ft_alpha"] = alpha.ToString(CultureInfo.InvariantCulture),
                    ["wise_ft_base"] = @base.Name,
                    ["wise_ft_tuned"] = tuned.Name,
                },
                from.Architecture
            )
        );
    }

    /// <summary>Whether there are models between the two at all.</summary>
    /// <exception cref="UserErrorException">One cannot be read, or they are not of one architecture.</exception>
    public static void Check(ConversionSource @base, ConversionSource tuned)
    {
        using var from = @base.Open();
        using var to = tuned.Open();
        Check(@base, from, tuned, to);
    }

    /// <summary>What the file of a share is called.</summary>
    public static string FileName(double alpha) => string.Create(CultureInfo.InvariantCulture, $"alpha-{alpha}.safetensors");

    private static void Check(ConversionSource @base, ClipCheckpoint from, ConversionSource tuned, ClipCheckpoint to)
    {
        Conversion.RequireNoNullToken(from, @base.Name);
        Conversion.RequireNoNullToken(to, tuned.Name);
        UserErrorException.ThrowIf(
            from.Architecture != to.Architecture,
            $"{@base.Name} and {tuned.Name} are not of one architecture ({from.Architecture}; {to.Architecture}); "
                + $"interpolate a model with the one it was tuned from"
        );
    }

    private static torch.Tensor Mix(PlainWeights start, PlainWeights end, double alpha, string key, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        using var scope = torch.NewDisposeScope();
        return start.Read(key).Times((float)(1 - alpha)).Plus(end.Read(key).Times((float)alpha)).DetachFromDisposeScope();
    }
}
