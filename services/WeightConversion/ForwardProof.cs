using ClipSae.Contracts;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>The evidence that what was written is the source: both loaded from disk, one after the other, and run on the same random images and texts.</summary>
/// <param name="Images">Probe images.</param>
/// <param name="Texts">Probe texts.</param>
/// <param name="Seed">Seed of the probes.</param>
/// <param name="Tolerance">Largest relative difference that passes.</param>
/// <param name="Image">Difference of the image features.</param>
/// <param name="Text">Difference of the text features.</param>
/// <param name="WorstWeight">The weight that differs most; null where the format's weights are not compared one by one.</param>
public sealed record ForwardProof(
    int Images, int Texts, long Seed, double Tolerance, FeatureDifference Image, FeatureDifference Text, WeightDifference? WorstWeight)
{
    /// <summary>Whether both towers agree within the tolerance.</summary>
    public bool Holds => Image.MaxRelative <= Tolerance && Text.MaxRelative <= Tolerance;

    /// <summary>Loads every part of the formats that loads by itself.</summary>
    /// <param name="folder">Where the formats were written.</param>
    /// <returns>A proof for each, by its path in the folder.</returns>
    public static IReadOnlyDictionary<string, ForwardProof> Run(
        ConversionSource source, string folder, IEnumerable<ConversionTarget> targets, ConversionOptions options, CancellationToken cancel = default)
    {
        using var scope = torch.NewDisposeScope();
        using var original = source.Open();
        var probes = Probes.Draw(original.Architecture, options);
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
                    Math.Max(options.EffectiveTolerance, target.LeastTolerance),
                    FeatureDifference.Between(expected.Image, features.Image),
                    FeatureDifference.Between(expected.Text, features.Text),
                    worst);
            }
        }

        return proofs;
    }

    /// <exception cref="UserErrorException">The proof failed; names tower, probe, feature and the worst tensor, and what to do.</exception>
    public void Require(string source, string written, ConversionDtype dtype)
    {
        if (Holds)
        {
            return;
        }

        // A difference that is no number must not look like the smaller one.
        var (tower, difference) = Image.MaxRelative <= Tolerance ? ("text", Text) : ("image", Image);
        var blame = WorstWeight is null ? "" : FormattableString.Invariant($"; the worst tensor is '{WorstWeight.Key}' ({WorstWeight.MaxRelative:0.0e+0})");
        throw new UserErrorException(FormattableString.Invariant(
            $"{source}: the converted weights in {written} are not the source: {tower} feature {difference.Feature} of probe {difference.Probe} differs by {difference.MaxRelative:0.0e+0} (tolerance {Tolerance:0.0e+0})") + blame + dtype switch
            {
                ConversionDtype.Float16 => "; convert with --dtype bfloat16 or float32, or allow more with --tolerance",
                ConversionDtype.BFloat16 => "; convert with --dtype float32, or allow more with --tolerance",
                _ => "; allow more with --tolerance, if so much does not matter",
            });
    }
}
