using ClipSae.AttackCuration.Images;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Results.Curation;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Salience;

/// <summary>Measures zero-shot accuracy on pairs, as it is or with something ablated.</summary>
public static class AttackMeasurement
{
    /// <summary>Classifies the clean and the attacked pictures among classes and words.</summary>
    /// <param name="intervene">Adds an ablation to a forward's hooks; null for none.</param>
    public static AttackAccuracy Of(
        VisionPlan vision,
        ZeroShotClassifier classifier,
        WordPairs pairs,
        int batch,
        Device device,
        Action<Hooks>? intervene,
        CancellationToken cancel
    )
    {
        var column = classifier
            .Names.Select((name, index) => (name, index))
            .ToDictionary(c => c.name, c => (long)c.index, StringComparer.Ordinal);
        var label = pairs.Labels.Select(l => column[l]).ToArray();
        var word = pairs.Words.Select(w => column[w]).ToArray();
        var clean = Decisions(vision, classifier, pairs.Clean, batch, device, intervene, cancel);
        var attacked = Decisions(vision, classifier, pairs.Word, batch, device, intervene, cancel);
        double n = pairs.Count;
        return new AttackAccuracy(
            Enumerable.Range(0, pairs.Count).Count(i => clean[i] == label[i]) / n,
            Enumerable.Range(0, pairs.Count).Count(i => attacked[i] == label[i]) / n,
            Enumerable.Range(0, pairs.Count).Count(i => attacked[i] == word[i]) / n
        );
    }

    private static long[] Decisions(
        VisionPlan vision,
        ZeroShotClassifier classifier,
        Tensor pixels,
        int batch,
        Device device,
        Action<Hooks>? intervene,
        CancellationToken cancel
    )
    {
        using var noGrad = no_grad();
        var decisions = new List<long>();
        ImageBatches.Each(pixels, vision.Architecture.Family.Normalization, batch, device, cancel, images =>
        {
            var hooks = new Hooks();
            intervene?.Invoke(hooks);
            decisions.AddRange(classifier.Logits(vision.EncodeImage(images, hooks)).argmax(1).cpu().data<long>().ToArray());
        });

        return [.. decisions];
    }
}
