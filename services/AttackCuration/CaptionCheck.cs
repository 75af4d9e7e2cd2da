using ClipSae.Clip;
using ClipSae.Datasets;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration;

/// <summary>
/// Finds pictures whose captions repeat the word printed on them, without reading a letter: the text-salient features fire; of the caption's words and all others the
/// model names one of the caption's; and with these features switched off it no longer does. Where the object is what the word says, the model still names it then.
/// <para>Both thresholds are set where they tell best apart (largest sum of sensitivity and specificity, Youden 1950) what curation prints itself: "fires" on wrong words
/// against no word, "still names it" on wrong words against the picture's own name.</para>
/// </summary>
public sealed class CaptionCheck(VisionPlan vision, CausalSweep.Row salient, AttackCurationOptions options, Device device)
{
    /// <summary>A picture whose caption repeats its print.</summary>
    /// <param name="Word">The caption's word.</param>
    /// <param name="Activation">Salience-weighted activation of the text-salient features.</param>
    /// <param name="Margin">Logit of the word less the largest of the others.</param>
    /// <param name="Remaining">The same with the text-salient features switched off.</param>
    public sealed record Finding(PictureSource Picture, string Word, double Activation, double Margin, double Remaining);

    /// <summary>What was looked at and found.</summary>
    /// <param name="Pictures">Pictures with a caption that could be decoded.</param>
    /// <param name="Firing">On how many of them the features fire.</param>
    /// <param name="FiresAbove">Activation above which the features count as firing.</param>
    /// <param name="RemainsBelow">Remaining margin below which the word is no longer named.</param>
    public sealed record Result(int Pictures, int Firing, double FiresAbove, double RemainsBelow, IReadOnlyList<Finding> Found);

    /// <param name="vocabulary">The classifier's names are these words.</param>
    /// <param name="choosing">Pairs with wrong words and without.</param>
    /// <param name="ownNames">The pictures of these pairs with their own names printed, uint8 [pairs, 3, R, R].</param>
    public Result Find(ZeroShotClassifier vocabulary, IReadOnlyList<PictureSource> pictures, WordPairs choosing, Tensor ownNames, int resolution, CancellationToken cancel)
    {
        var column = vocabulary.Names.Select((name, index) => (name, index)).ToDictionary(c => c.name, c => c.index, StringComparer.Ordinal);
        double[] Remaining(IReadOnlyList<Sight> sights, IReadOnlyList<string> words) => [.. sights.Select((sight, i) => Margin(sight.Ablated, column[words[i]]))];
        var (clean, wrong, own) = (Look(vocabulary, choosing.Clean, cancel), Look(vocabulary, choosing.Word, cancel), Look(vocabulary, ownNames, cancel));
        var firesAbove = Threshold([.. clean.Select(s => s.Activation)], [.. wrong.Select(s => s.Activation)]);
        var remainsBelow = Threshold(Remaining(wrong, choosing.Words), Remaining(own, choosing.Labels));

        var found = new List<Finding>();
        var (seen, firing) = (0, 0);
        foreach (var batch in pictures.Chunk(options.BatchSize))
        {
            cancel.ThrowIfCancellationRequested();
            var readable = batch.AsParallel().AsOrdered().Select(p => (Picture: p, Image: ImageDecoder.TryRead(p.Encoded, null, out var read, out _) ? read.ToRgb() : null)).Where(p => p.Image is not null).ToArray();
            if (readable.Length == 0)
            {
                continue;
            }

            using var pixels = PixelLoader.Stack([.. readable.Select(p => p.Image!)], resolution);
            foreach (var ((picture, _), sight) in readable.Zip(Look(vocabulary, pixels, cancel)))
            {
                seen++;
                if (sight.Activation <= firesAbove)
                {
                    continue;
                }

                firing++;
                var named = CaptionWords.Named(picture.Item, vocabulary.Names);
                if (named.Count == 0)
                {
                    continue;
                }

                var word = named.MaxBy(w => sight.Logits[w]);
                var (margin, remaining) = (Margin(sight.Logits, word), Margin(sight.Ablated, word));
                if (margin > 0 && remaining < remainsBelow)
                {
                    found.Add(new Finding(picture, vocabulary.Names[word], sight.Activation, margin, remaining));
                }
            }
        }

        return new Result(seen, firing, firesAbove, remainsBelow, found);
    }

    /// <summary>The cut between two samples that tells them best apart: the low one below it, the high one above.</summary>
    public static double Threshold(IReadOnlyList<double> low, IReadOnlyList<double> high)
    {
        var all = low.Select(value => (Value: value, High: false)).Concat(high.Select(value => (Value: value, High: true))).OrderBy(v => v.Value).ToArray();
        var (best, cut, gain) = (double.NegativeInfinity, all[0].Value, 0.0);
        for (var i = 0; i + 1 < all.Length; i++)
        {
            gain += all[i].High ? -1.0 / high.Count : 1.0 / low.Count;
            if (all[i].Value < all[i + 1].Value && gain > best)
            {
                (best, cut) = (gain, (all[i].Value + all[i + 1].Value) / 2);
            }
        }

        return cut;
    }

    /// <summary>Logit of a word less the largest of the others.</summary>
    private static double Margin(float[] logits, int word) => logits[word] - logits.Where((_, other) => other != word).Max();

    private List<Sight> Look(ZeroShotClassifier classifier, Tensor pixels, CancellationToken cancel)
    {
        using var noGrad = no_grad();
        var sights = new List<Sight>();
        var chosen = salient.Salient.Select(s => s.Feature).ToArray();
        for (long from = 0; from < pixels.shape[0]; from += options.BatchSize)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var images = PixelNormalization.Apply(pixels.narrow(0, from, Math.Min(options.BatchSize, pixels.shape[0] - from)).to(device));
            var capture = new Hooks().Capture(salient.Hook.Hook);
            var logits = Rows(classifier.Logits(vision.EncodeImage(images, capture)));
            var latents = salient.Hook.PerImage(capture.Captured(salient.Hook.Hook).to(ScalarType.Float32)).index_select(1, tensor(chosen.Select(f => (long)f).ToArray(), device: device));
            var activation = latents.mv(AlignedTensor.Of([.. salient.Salient.Select(s => (float)Math.Min(s.Salience, 1e3))], salient.Salient.Count).to(device)).cpu().data<float>().ToArray();
            var ablation = new Hooks();
            salient.Hook.Ablate(ablation, chosen);
            var ablated = Rows(classifier.Logits(vision.EncodeImage(images, ablation)));
            sights.AddRange(logits.Select((row, i) => new Sight(row, ablated[i], activation[i])));
        }

        return sights;
    }

    private static float[][] Rows(Tensor table) => [.. table.cpu().contiguous().data<float>().ToArray().Chunk((int)table.shape[1])];

    private sealed record Sight(float[] Logits, float[] Ablated, double Activation);
}
