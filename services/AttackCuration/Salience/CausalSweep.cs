using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Results.Curation;

namespace ClipSae.AttackCuration.Salience;

/// <summary>
/// Decides by intervention which layer's features really carry the printed word: the most salient latents are switched off and the change
/// of the decisions measured, on pictures that had no part in choosing them, next to random latents that fire as much (science, section 4).
/// </summary>
public static class CausalSweep
{
    /// <summary>One row: a hook point, a share of its live latents, and what switching them off does.</summary>
    /// <param name="Hook">Where.</param>
    /// <param name="Share">Share of live latents taken as salient.</param>
    /// <param name="Salient">These latents, most salient first.</param>
    /// <param name="Before">Nothing ablated.</param>
    /// <param name="Ablation">The salient ones ablated.</param>
    /// <param name="Random">Controls, one entry a draw.</param>
    public sealed record Row(
        SaeAtHook Hook,
        FeatureSurvey Survey,
        double Share,
        IReadOnlyList<FeatureScore> Salient,
        AttackAccuracy Before,
        AttackAccuracy Ablation,
        IReadOnlyList<AttackAccuracy> Random
    )
    {
        /// <summary>
        /// What the layer is chosen by: attacked accuracy won over the mean random control, less twice the clean accuracy lost against it.
        /// </summary>
        public double Effect =>
            Ablation.Attacked - Random.Average(r => r.Attacked) - (2 * Math.Max(0, Random.Average(r => r.Clean) - Ablation.Clean));
    }

    /// <summary>Surveys and ablates every SAE.</summary>
    /// <param name="choosing">Pairs that features are chosen on.</param>
    /// <param name="measuring">Other pairs, on which the ablation is measured.</param>
    public static IReadOnlyList<Row> Run(
        VisionPlan vision,
        ZeroShotClassifier classifier,
        IReadOnlyList<SaeAtHook> hooks,
        WordPairs choosing,
        WordPairs measuring,
        AttackCurationOptions options,
        TorchSharp.torch.Device device,
        Action<int> done,
        CancellationToken cancel
    )
    {
        var rows = new List<Row>();
        var tried = 0;
        var before = AttackMeasurement.Of(vision, classifier, measuring, options.BatchSize, device, null, cancel);
        AttackAccuracy Without(SaeAtHook at, IReadOnlyList<int> latents) =>
            AttackMeasurement.Of(vision, classifier, measuring, options.BatchSize, device, h => at.Ablate(h, latents), cancel);
        foreach (var at in hooks)
        {
            var survey = FeatureSurvey.Of(vision, at, choosing, options.BatchSize, device, cancel);
            var ranked = survey.Ranked;
            foreach (var share in options.SalientShares)
            {
                var salient = ranked.Take(Math.Max(1, (int)Math.Round(share * ranked.Count))).Where(s => s.Salience > 0).ToArray();
                if (salient.Length > 0)
                {
                    var chosen = salient.Select(s => s.Feature).ToArray();
                    var random = Enumerable
                        .Range(0, options.RandomDraws)
                        .Select(d => Without(at, survey.MatchedRandom(chosen, options.Seed, d)))
                        .ToArray();
                    rows.Add(new Row(at, survey, share, salient, before, Without(at, chosen), random));
                }

                done(++tried);
            }
        }

        return rows;
    }
}
