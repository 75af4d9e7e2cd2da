using ClipSae.Clip;
using ClipSae.Datasets;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>
/// Between the model's input and the 8-bit levels it came from. The resize ends in 8 bits, so a byte for each value loses nothing and takes a
/// quarter of the memory.
/// </summary>
internal static class PixelLevels
{
    private static readonly float[] Mean = [0.48145466f, 0.4578275f, 0.40821073f];
    private static readonly float[] Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    /// <summary>Resizes and crops a picture.</summary>
    /// <returns>Levels [3, resolution, resolution].</returns>
    public static byte[] Of(RgbImage image, int resolution)
    {
        var values = new float[3 * resolution * resolution];
        Preprocessor.Preprocess(image.Rgb, image.Width, image.Height, resolution, values);
        var levels = new byte[values.Length];
        var plane = resolution * resolution;
        for (var i = 0; i < values.Length; i++)
        {
            levels[i] = (byte)MathF.Round((values[i] * Deviation[i / plane] + Mean[i / plane]) * 255);
        }

        return levels;
    }

    /// <summary>The model's input, float32 [images, 3, resolution, resolution].</summary>
    public static torch.Tensor Normalize(byte[] levels, int images, int resolution, torch.Device device)
    {
        using var scope = torch.NewDisposeScope();
        var shape = new long[] { 1, 3, 1, 1 };
        var values = torch.tensor(levels, [images, 3, resolution, resolution]).to(device).to(torch.float32);
        var mean = torch.tensor(Mean, shape).to(device);
        var deviation = torch.tensor(Deviation, shape).to(device);
        return values.div_(255).sub_(mean).div_(deviation).MoveToOuterDisposeScope();
    }

    /// <summary>Levels as a picture, at most <paramref name="largest"/> pixels a side: whole factors, averaged.</summary>
    public static RgbImage ToPicture(ReadOnlySpan<byte> levels, int resolution, int largest)
    {
        var factor = Math.Max(1, (resolution + largest - 1) / largest);
        var side = resolution / factor;
        var rgb = new byte[3 * side * side];
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                for (var channel = 0; channel < 3; channel++)
                {
                    rgb[3 * (y * side + x) + channel] = Average(levels, resolution, channel, x * factor, y * factor, factor);
                }
            }
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
                sum += levels[(channel * resolution + y) * resolution + x];
            }
        }

        return (byte)((sum + factor * factor / 2) / (factor * factor));
    }
}
