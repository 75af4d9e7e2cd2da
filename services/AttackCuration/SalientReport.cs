using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.Datasets;
using ClipSae.Results.Curation;

namespace ClipSae.AttackCuration;

/// <summary>The findings with their numbers rounded, for fine-tuning, the report and people.</summary>
internal static class SalientReport
{
    /// <summary>Sets of random features that fine-tuning's control arms choose from, one for each seed in turn.</summary>
    private const int ControlDraws = 5;

    public static SalientFindings Build(
        IReadOnlyList<CausalSweep.Row> rows,
        CausalSweep.Row best,
        IReadOnlyList<SalientNeurons.Neuron> neurons,
        NeuronAblation ablation,
        WordPairs choosing,
        CurationImages pictures,
        HeldOutPrint heldOut,
        double firing,
        AttackCurationOptions options
    ) =>
        new(
            best.Hook.Hook.ToString(),
            best.Hook.Name,
            best.Share,
            Round(firing),
            choosing.Count,
            pictures.Classes,
            options.HeldOutWords,
            [.. heldOut.Fonts],
            [
                .. rows.Select(row => new AblatedLayer(
                    row.Hook.Hook.ToString(),
                    row.Hook.Name,
                    row.Share,
                    row.Hook.Sae.Latents,
                    row.Survey.Ranked.Count,
                    row.Salient.Count,
                    Rounded(row.Before),
                    Rounded(row.Ablation),
                    Rounded(row.Random),
                    Round(row.Effect),
                    ReferenceEquals(row, best)
                )),
            ],
            [
                .. best.Salient.Select(f => new SalientFeature(
                    f.Feature,
                    Round(f.Salience),
                    Round(f.WordMinusClean),
                    Round(f.WordMinusControl),
                    Round(f.Auroc)
                )),
            ],
            [
                .. Enumerable
                    .Range(0, ControlDraws)
                    .Select(draw => best.Survey.MatchedRandom([.. best.Salient.Select(f => f.Feature)], options.Seed, draw)),
            ],
            [.. neurons.Select(n => new SalientNeuron(n.Layer, n.Index, Round(n.Score)))],
            new NeuronAblation(Rounded(ablation.Chosen), Rounded(ablation.Random))
        );

    /// <summary>Three fractions, rounded as they are kept.</summary>
    public static AttackAccuracy Rounded(AttackAccuracy a) => new(Round(a.Clean), Round(a.Attacked), Round(a.AttackSuccess));

    public static IReadOnlyList<AttackAccuracy> Rounded(IEnumerable<AttackAccuracy> all) => [.. all.Select(Rounded)];

    private static double Round(double value) => double.IsFinite(value) ? Math.Round(value, 5) : Math.CopySign(1e6, value);
}
