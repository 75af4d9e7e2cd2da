using ClipSae.Datasets;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Pretraining;

/// <summary>Applies a <see cref="ImageAugmentation"/> to batches; what a step draws follows from seed and step.</summary>
public sealed class ImageAugmenter(ImageAugmentation variation, long seed)
{
    /// <param name="images">Normalised pictures [batch, 3, R, R].</param>
    /// <param name="printed">Whether each contains print.</param>
    /// <returns>The same shape, in the caller's scope.</returns>
    public Tensor Vary(Tensor images, IReadOnlyList<bool> printed, long step)
    {
        using var scope = NewDisposeScope();
        var random = new SeededRandom(seed, "variation", step);
        var (place, tone) = (new float[6 * printed.Count], new float[3 * printed.Count]);
        for (var i = 0; i < printed.Count; i++)
        {
            var side = printed[i] ? 1 : random.NextDouble(variation.Crop, 1);
            var mirror = variation.Flip && !printed[i] && random.Next(2) == 0 ? -1 : 1;
            // Rows of an affine map from the result's coordinates to the picture's, both in [-1, 1].
            place[6 * i] = (float)(mirror * side);
            place[(6 * i) + 2] = (float)random.NextDouble(side - 1, 1 - side);
            place[(6 * i) + 4] = (float)side;
            place[(6 * i) + 5] = (float)random.NextDouble(side - 1, 1 - side);
            for (var t = 0; t < 3; t++)
            {
                tone[(3 * i) + t] = (float)random.NextDouble(-variation.Jitter, variation.Jitter);
            }
        }

        var varied = images;
        if (variation.Crop < 1 || variation.Flip)
        {
            var grid = nn.functional.affine_grid(
                AlignedTensor.Of(place, printed.Count, 2, 3).to(images.device),
                images.shape,
                align_corners: false
            );
            varied = nn.functional.grid_sample(varied, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
        }

        if (variation.Jitter > 0)
        {
            varied = Tone(varied, AlignedTensor.Of(tone, printed.Count, 3, 1, 1).to(images.device));
        }

        return varied.MoveToOuterDisposeScope();
    }

    /// <summary>The patches that each picture keeps, int64 [batch, kept] on the processor; null where all are.</summary>
    /// <param name="patches">Patches of a picture.</param>
    /// <param name="steps">Steps in all.</param>
    public Tensor? Kept(int batch, int patches, long step, long steps)
    {
        var kept = Math.Max(1, (int)Math.Round(patches * (1 - variation.PatchDropout)));
        if (kept == patches || step >= steps - (steps / 10))
        {
            return null;
        }

        var random = new SeededRandom(seed, "patches", step);
        var order = new int[patches];
        var chosen = new long[batch * kept];
        for (var i = 0; i < batch; i++)
        {
            for (var p = 0; p < patches; p++)
            {
                order[p] = p;
            }

            for (var p = 0; p < kept; p++)
            {
                var other = random.Next(p, patches - 1);
                (order[p], order[other]) = (order[other], order[p]);
                chosen[(i * kept) + p] = order[p];
            }
        }

        return tensor(chosen, new long[] { batch, kept });
    }

    private static Tensor Tone(Tensor images, Tensor amounts)
    {
        var (brightness, contrast, saturation) = (amounts.narrow(1, 0, 1), amounts.narrow(1, 1, 1), amounts.narrow(1, 2, 1));
        var grey = images.mean([1], keepdim: true);
        var coloured = images.Plus((images - grey) * saturation);
        var mean = coloured.mean([1, 2, 3], keepdim: true);
        return coloured.Plus((coloured - mean) * contrast).Plus(brightness);
    }
}
