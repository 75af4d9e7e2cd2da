using ClipSae.Datasets;
using SkiaSharp;

namespace ClipSae.Benchmarks;

/// <summary>Pictures that cost a decoder about what photographs cost: soft noise, some 60 kB at 500 × 375.</summary>
internal static class MadeUpPhoto
{
    /// <param name="seed">Equal seeds give equal pictures.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static byte[] Jpeg(int seed, int width, int height)
    {
        var random = new SeededRandom(seed, "photograph");
        using var small = new SKBitmap(width / 4, height / 4);
        for (var y = 0; y < small.Height; y++)
        {
            for (var x = 0; x < small.Width; x++)
            {
                small.SetPixel(x, y, new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)));
            }
        }

        using var full = small.Resize(new SKImageInfo(width, height), new SKSamplingOptions(SKFilterMode.Linear));
        using var data = full.Encode(SKEncodedImageFormat.Jpeg, 90);
        return data.ToArray();
    }
}
