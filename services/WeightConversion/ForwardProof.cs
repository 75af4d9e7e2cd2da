using ClipSae.Clip;
using ClipSae.Contracts;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>The evidence that a written checkpoint is the source: both loaded from disk and run on the same random images and texts.</summary>
/// <param name="Images">Probe images.</param>
/// <param name="Texts">Probe texts.</param>
/// <param name="Seed">Seed of the probes.</param>
/// <param name="Tolerance">Largest relative difference that passes.</param>
/// <param name="Image">Difference of the image features.</param>
/// <param name="Text">Difference of the text features.</param>
/// <param name="WorstWeight">The weight that differs most.</param>
public sealed record ForwardProof(
    int Images, int Texts, long Seed, double Tolerance, FeatureDifference Image, FeatureDifference Text, WeightDifference WorstWeight)
{
    /// <summary>Whether both towers agree within the tolerance.</summary>
    public bool Holds => Image.MaxRelative <= Tolerance && Text.MaxRelative <= Tolerance;

    /// <summary>Runs both models on the probes.</summary>
    public static ForwardProof Run(ClipModel source, ClipModel written, ConversionOptions options)
    {
        using var scope = torch.NewDisposeScope();
        using var inference = torch.inference_mode();
        using var generator = new torch.Generator((ulong)options.Seed);
        var images = ProbeImages(source.Architecture, options.ProbeImages, generator);
        var tokens = ProbeTexts(source.Architecture, options.ProbeTexts, generator);
        return new ForwardProof(
            options.ProbeImages,
            options.ProbeTexts,
            options.Seed,
            options.EffectiveTolerance,
            Compare(source.EncodeImage(images), written.EncodeImage(images)),
            Compare(source.EncodeText(tokens), written.EncodeText(tokens)),
            Compare(source.PlainStateDict(), written.PlainStateDict()));
    }

    /// <exception cref="UserErrorException">The proof failed; names tower, probe, feature and the worst tensor.</exception>
    public void Require(string source)
    {
        if (Holds)
        {
            return;
        }

        // A difference that is no number must not look like the smaller one.
        var (tower, worst) = Image.MaxRelative <= Tolerance ? ("text", Text) : ("image", Image);
        throw new UserErrorException(FormattableString.Invariant(
            $"{source}: the converted weights are not the source: {tower} feature {worst.Feature} of probe {worst.Probe} differs by {worst.MaxRelative:0.0e+0} (tolerance {Tolerance:0.0e+0}); the worst tensor is '{WorstWeight.Key}' ({WorstWeight.MaxRelative:0.0e+0})"));
    }

    private static torch.Tensor ProbeImages(ClipArchitecture a, int count, torch.Generator generator) =>
        torch.randn([count, 3, a.ImageResolution, a.ImageResolution], generator: generator);

    // Start, words of growing number, end, zeros: as the tokenizer would give them. The largest id marks the end of the text.
    private static torch.Tensor ProbeTexts(ClipArchitecture a, int count, torch.Generator generator)
    {
        var tokens = torch.zeros([count, a.ContextLength], dtype: torch.int64);
        for (var row = 0; row < count; row++)
        {
            var words = Math.Min(1 + row, a.ContextLength - 2);
            tokens[row, 0] = a.VocabularySize - 2;
            tokens[row].narrow(0, 1, words).copy_(torch.randint(0, a.VocabularySize - 2, [words], dtype: torch.int64, generator: generator));
            tokens[row, words + 1] = a.VocabularySize - 1;
        }

        return tokens;
    }

    private static FeatureDifference Compare(torch.Tensor source, torch.Tensor written)
    {
        var (a, b) = (source.to(torch.float64), written.to(torch.float64));
        var difference = (a - b).abs();
        var worst = difference.argmax().item<long>();
        var cosine = torch.nn.functional.cosine_similarity(a, b, 1, 1e-12).min().item<double>();
        var largest = difference.max().item<double>();
        return new FeatureDifference(largest, Share(largest, a), cosine, (int)(worst / a.shape[1]), (int)(worst % a.shape[1]));
    }

    private static WeightDifference Compare(IReadOnlyDictionary<string, torch.Tensor> source, IReadOnlyDictionary<string, torch.Tensor> written)
    {
        var worst = new WeightDifference("", 0, -1);
        foreach (var (key, tensor) in source.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            using var scope = torch.NewDisposeScope();
            var largest = (tensor - written[key]).abs().max().to(torch.float64).item<double>();
            var relative = Share(largest, tensor);
            if (double.IsNaN(relative) || relative > worst.MaxRelative)
            {
                worst = new WeightDifference(key, largest, relative);
            }
        }

        return worst;
    }

    private static double Share(double difference, torch.Tensor reference)
    {
        var scale = reference.abs().max().to(torch.float64).item<double>();
        return difference == 0 ? 0 : difference / scale;
    }
}
