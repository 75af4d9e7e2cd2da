using System.Globalization;
using ClipSae.Results.Conversion;
using ClipSae.Tensors;
using ClipSae.WeightConversion.Proofs;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>Proves written formats by a forward pass.</summary>
public static class ForwardProofs
{
    /// <summary>Loads every part of the formats that loads by itself.</summary>
    /// <param name="folder">Where the formats were written.</param>
    /// <returns>A proof for each, by its path in the folder.</returns>
    public static IReadOnlyDictionary<string, ForwardProof> Run(
        ConversionSource source,
        string folder,
        IEnumerable<ConversionTarget> targets,
        ConversionOptions options,
        CancellationToken cancel = default
    )
    {
        using var scope = torch.NewDisposeScope();
        using var original = source.Open();
        var probes = Probes.Draw(original.Architecture, options.Seed, options.ProbeImages, options.ProbeTexts);
        var expected = ProbeFeatures.Of(original, probes);
        var proofs = new SortedDictionary<string, ForwardProof>(StringComparer.Ordinal);
        foreach (var target in targets)
        {
            foreach (var path in target.Loadable)
            {
                cancel.ThrowIfCancellationRequested();
                using var one = torch.NewDisposeScope();
                var (features, worst) = target.Load(Path.Combine(folder, path), source, probes);
                proofs[path] = new ForwardProof(
                    options.ProbeImages,
                    options.ProbeTexts,
                    options.Seed,
                    Math.Max(options.EffectiveTolerance, target.MinTolerance),
                    Differences.OfFeatures(expected.Image, features.Image),
                    Differences.OfFeatures(expected.Text, features.Text),
                    worst
                );
            }
        }

        return proofs;
    }

    /// <exception cref="UserErrorException">The proof failed; names tower, probe, feature and the worst tensor, and what to do.</exception>
    public static void Require(this ForwardProof proof, string source, string written, Precision dtype)
    {
        if (proof.Holds)
        {
            return;
        }

        // A difference that is not a number must not look like the smaller one.
        var (tower, difference) = proof.Image.MaxRelative <= proof.Tolerance ? ("text", proof.Text) : ("image", proof.Image);
        var blame = proof.WorstWeight is null
            ? ""
            : FormattableString.Invariant($"; the worst tensor is '{proof.WorstWeight.Key}' ({proof.WorstWeight.MaxRelative:0.0e+0})");
        throw new UserErrorException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{source}: the converted weights in {written} are not the source: {tower} feature {difference.Feature} of "
                    + $"probe {difference.Probe} differs by {difference.MaxRelative:0.0e+0} (tolerance {proof.Tolerance:0.0e+0})"
            )
                + blame
                + dtype switch
                {
                    Precision.Float16 => "; convert with --dtype bfloat16 or float32, or allow more with --tolerance",
                    Precision.Bfloat16 => "; convert with --dtype float32, or allow more with --tolerance",
                    _ => "; allow more with --tolerance, if that much is acceptable",
                }
        );
    }
}
