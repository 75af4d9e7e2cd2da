using ClipSae.Clip.Model;
using ClipSae.Datasets;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Settings;
using ClipSae.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ClipSae.FineTuning.Heads;

/// <summary>
/// Finds the attention heads that look at print (Dyslexify, arXiv 2508.20570): a head's typographic attention score is the mean over
/// attacks of the class token's attention to patches with print on them. What is print is known, since the attacks were printed on pictures
/// that are there.
/// </summary>
public static class TypographicHeads
{
    private const int Batch = 64;

    /// <summary>Attacks looked at, at most; the scores' errors are below a hundredth then.</summary>
    private const int MaxAttacks = 1024;

    /// <summary>Scores of all heads, by layer and place.</summary>
    /// <exception cref="UserErrorException">No attack is printed on a picture that is there.</exception>
    public static IReadOnlyList<TypographicHead> Score(ClipModel model, TuningData data, Device device, CancellationToken cancel)
    {
        int[] printed = [.. Enumerable.Range(0, data.Attacks.Count).Where(i => data.AttackSources[i] >= 0).Take(MaxAttacks)];
        UserErrorException.ThrowIf(
            printed.Length == 0,
            "fine-tuning: no attack is printed on a picture of the data set, so no head can be identified as reading print; "
                + "leave the arm out of tuning.arms"
        );

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (layers, heads) = (model.Architecture.VisionLayers, model.Architecture.VisionHeads);
        var sums = zeros([layers, heads], dtype: ScalarType.Float64);
        foreach (var items in printed.Chunk(Batch))
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var attacks = CaptionedPixels.Rows(data.Attacks.Pixels, items);
            var print = PrintAlone.Mask(attacks, CaptionedPixels.Rows(data.Clean.Pixels, [.. items.Select(i => data.AttackSources[i])]));
            var patch = model.Architecture.PatchSize;
            var ofPatches = functional.max_pool2d(print, patch, patch).flatten(1);
            var attention = ClassAttention.Of(model, model.Architecture.Family.Normalization.Apply(attacks.to(device))).cpu();
            sums.AddInPlace((attention.narrow(-1, 1, attention.shape[^1] - 1) * ofPatches.unsqueeze(1)).sum([1, 3]).to(ScalarType.Float64));
        }

        var scores = sums.Over(printed.Length).flatten().data<double>().ToArray();
        return [.. scores.Select((score, place) => new TypographicHead(place / heads, place % heads, score))];
    }

    /// <summary>
    /// Heads whose score is above the mean of all by the given number of standard deviations or more, late layers first, in a layer the
    /// highest score first.
    /// </summary>
    public static IReadOnlyList<TypographicHead> Above(IReadOnlyList<TypographicHead> heads, double deviations)
    {
        var mean = heads.Average(head => head.Score);
        var deviation = Math.Sqrt(heads.Average(head => (head.Score - mean) * (head.Score - mean)));
        return
        [
            .. heads
                .Where(head => head.Score >= mean + (deviations * deviation))
                .OrderByDescending(head => head.Layer)
                .ThenByDescending(head => head.Score)
                .ThenBy(head => head.Index),
        ];
    }

    /// <summary>
    /// Those above of the later half of the blocks, which write into the class token what it ends with; of a control, as many others.
    /// </summary>
    /// <exception cref="UserErrorException">There is none.</exception>
    public static IReadOnlyList<TypographicHead> Late(
        ClipModel model,
        TuningData data,
        FineTuningOptions options,
        bool random,
        Device device,
        CancellationToken cancel
    )
    {
        TypographicHead[] late = [.. Score(model, data, device, cancel).Where(head => head.Layer >= model.Architecture.VisionLayers / 2)];
        var above = Above(late, options.HeadThreshold);
        return above.Count == 0
                ? throw new UserErrorException(
                    "fine-tuning: no attention head of the later blocks attends to print more than the others; "
                        + "lower tuning.headThreshold, or leave the arm out of tuning.arms"
                )
            : random ? Twins(late, above, options.Seed)
            : above;
    }

    /// <summary>
    /// As many other heads, of the same layers as long as they have any, drawn from the seed: a control. Fewer where fewer are left.
    /// </summary>
    /// <exception cref="UserErrorException">All heads are chosen.</exception>
    public static IReadOnlyList<TypographicHead> Twins(IReadOnlyList<TypographicHead> all, IReadOnlyList<TypographicHead> chosen, long seed)
    {
        var others = all.Except(chosen).ToList();
        new SeededRandom(seed, "random heads").Shuffle(others);
        var twins = new List<TypographicHead>();
        foreach (var head in chosen)
        {
            if (
                (
                    others.Find(other => other.Layer == head.Layer)
                    ?? others.OrderBy(other => Math.Abs(other.Layer - head.Layer)).FirstOrDefault()
                ) is
                { } twin
            )
            {
                others.Remove(twin);
                twins.Add(twin);
            }
        }

        return twins.Count > 0
            ? twins
            : throw new UserErrorException(
                "fine-tuning: all attention heads that could be drawn are chosen, so none is left for the random control; "
                    + "raise tuning.headThreshold, or leave the control out of tuning.arms"
            );
    }
}
