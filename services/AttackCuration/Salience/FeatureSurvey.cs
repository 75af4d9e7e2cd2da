using ClipSae.AttackCuration.Images;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Salience;

/// <summary>What every latent of an SAE does on clean pictures, on the same with a word, and on the same with a control.</summary>
public sealed class FeatureSurvey
{
    private FeatureSurvey(IReadOnlyList<FeatureScore> scores, float[] meanActivation)
    {
        Scores = scores;
        MeanActivation = meanActivation;
    }

    /// <summary>One entry a latent, in the order of the latents.</summary>
    public IReadOnlyList<FeatureScore> Scores { get; }

    /// <summary>Mean activation of each latent over pictures with words: what a random control set is matched on.</summary>
    public IReadOnlyList<float> MeanActivation { get; }

    /// <summary>Latents that fired at least once, most salient first.</summary>
    public IReadOnlyList<FeatureScore> Ranked =>
        [.. Scores.Where(s => MeanActivation[s.Feature] > 0).OrderByDescending(s => s.Salience).ThenBy(s => s.Feature)];

    /// <summary>Scores every latent over the pairs.</summary>
    public static FeatureSurvey Of(VisionPlan vision, SaeAtHook at, WordPairs pairs, int batch, Device device, CancellationToken cancel)
    {
        var clean = Latents(vision, at, pairs.Clean, batch, device, cancel);
        var word = Latents(vision, at, pairs.Word, batch, device, cancel);
        var control = Latents(vision, at, pairs.Control, batch, device, cancel);
        var scores = new FeatureScore[at.Sae.Latents];
        var mean = new float[at.Sae.Latents];
        Parallel.For(0, scores.Length, f =>
        {
            var overClean = SalienceStatistics.StandardizedDifference(word[f], clean[f]);
            var overControl = SalienceStatistics.StandardizedDifference(word[f], control[f]);
            scores[f] = new FeatureScore(f, overClean, overControl, SalienceStatistics.Auroc(word[f], clean[f]));
            mean[f] = word[f].Average();
        });
        return new FeatureSurvey(scores, mean);
    }

    /// <summary>
    /// Random latents that fire about as much as the chosen ones: for each of them one of its nearest neighbours in mean activation.
    /// </summary>
    public IReadOnlyList<int> MatchedRandom(IReadOnlyList<int> chosen, long seed, int draw)
    {
        const int neighbourhood = 8;
        var random = new Datasets.SeededRandom(seed, "random features", draw);
        var free = Enumerable
            .Range(0, MeanActivation.Count)
            .Except(chosen)
            .Where(f => MeanActivation[f] > 0)
            .OrderBy(f => MeanActivation[f])
            .ThenBy(f => f)
            .ToList();
        var picked = new List<int>();
        foreach (var feature in chosen.OrderBy(f => f).Take(free.Count))
        {
            var at = free.FindIndex(f => MeanActivation[f] >= MeanActivation[feature]);
            at = at < 0 ? free.Count - 1 : at;
            var first = Math.Clamp(at - (neighbourhood / 2), 0, Math.Max(0, free.Count - neighbourhood));
            var index = first + random.Next(Math.Min(neighbourhood, free.Count - first));
            picked.Add(free[index]);
            free.RemoveAt(index);
        }

        picked.Sort();
        return picked;
    }

    /// <summary>Per latent, its value on each picture: [latents][pictures].</summary>
    private static float[][] Latents(VisionPlan vision, SaeAtHook at, Tensor pixels, int batch, Device device, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var parts = new List<Tensor>();
        ImageBatches.Each(pixels, vision.Architecture.Family.Normalization, batch, device, cancel, images =>
        {
            var hooks = new Hooks().Capture(at.Hook);
            vision.Run(images, hooks);
            parts.Add(at.PerImage(hooks.Captured(at.Hook).to(ScalarType.Float32)).cpu().MoveToOuterDisposeScope());
        });
        return ImageBatches.Rows(cat(parts).t());
    }
}
