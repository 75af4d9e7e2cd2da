using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Pixels;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>
/// Pictures as 8-bit levels [resolution, resolution, 3]. CLIP's resize ends in 8 bits, so a byte for each value loses nothing and takes a
/// quarter of the memory.
/// </summary>
internal static class PixelLevels
{
    /// <summary>The model's input, float32 [images, 3, resolution, resolution].</summary>
    public static torch.Tensor Normalize(PixelBatch batch, ImagePreparation preparation, torch.Device device)
    {
        var resolution = preparation.Resolution;
        using var scope = torch.NewDisposeScope();
        var pictures = torch
            .tensor(batch.Levels.ToArray(), [batch.Count, resolution, resolution, 3])
            .to(device)
            .permute(0, 3, 1, 2)
            .contiguous();
        return preparation.Normalization.Apply(pictures).MoveToOuterDisposeScope();
    }

    /// <summary>Levels as a picture, at most <paramref name="largest"/> pixels a side: whole factors, averaged.</summary>
    public static RgbImage ToImage(ReadOnlySpan<byte> levels, int resolution, int largest)
    {
        var factor = Math.Max(1, (resolution + largest - 1) / largest);
        var side = resolution / factor;
        var rgb = new byte[3 * side * side];
        for (var i = 0; i < rgb.Length; i++)
        {
            var (pixel, channel) = (i / 3, i % 3);
            rgb[i] = Average(levels, resolution, channel, pixel % side * factor, pixel / side * factor, factor);
        }

        return new RgbImage(side, side, rgb);
    }

    private static byte Average(ReadOnlySpan<byte> levels, int resolution, int channel, int left, int top, int factor)
    {
        var sum = 0;
        for (var y = top; y < top + factor; y++)
        {
            for (var x = left; x < left + factor; x++)
            {
                sum += levels[3 * (y * resolution + x) + channel];
            }
        }

        return (byte)((sum + factor * factor / 2) / (factor * factor));
    }
}
