using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion;

/// <summary>Writes a checkpoint in the formats that people load, one tensor at a time.</summary>
public static class WeightConverter
{
    /// <summary>Writes the formats one behind the other; each file whole or not at all; equal sources give equal bytes.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="tokenizer">The model's tokenizer, where it is known.</param>
    /// <param name="written">Called after each tensor with the number written and the number in all.</param>
    /// <returns>Linear layers of the source that are in Geometric Parametrization.</returns>
    /// <exception cref="ClipSae.Contracts.UserErrorException">A key or shape does not fit, a format does not fit the model, or a file
    /// cannot be written.</exception>
    public static int Convert(
        ConversionSource source,
        string folder,
        IReadOnlyList<ConversionTarget> targets,
        Precision dtype,
        ClipTokenizer? tokenizer = null,
        Action<int, int>? written = null,
        CancellationToken cancel = default
    )
    {
        using var checkpoint = source.Open();
        ConversionTarget.Require(targets, checkpoint.Architecture.Family, source.Name);
        var weights = new PlainWeights(checkpoint);
        var (done, total) = (0, targets.Sum(target => target.Tensors(weights)));
        using var basis = targets.Any(target => target.NeedsBase) ? source.OpenBase() : null;
        var material = new ConversionMaterial(weights, dtype, tokenizer, () => written?.Invoke(++done, total), cancel)
        {
            Base = basis is null ? null : new PlainWeights(basis),
            Form = source.Form,
        };
        foreach (var target in targets)
        {
            target.Write(material, folder);
        }

        return weights.GeometricLayers;
    }
}
