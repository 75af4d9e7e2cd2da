using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using static TorchSharp.torch;

namespace ClipSae.Web.Models;

/// <summary>Pictures as a model takes them, and how many of them a computation on demand may cost.</summary>
internal static class ShownImages
{
    /// <summary>Pictures that go through a model together.</summary>
    public const int Batch = 16;

    // Multiplications that a computation may cost: about two minutes on two cores.
    private const double Budget = 2.5e13;

    /// <summary>Image files as pixels of the model's size, prepared as attacks are.</summary>
    /// <returns>float32 [pictures, 3, resolution, resolution], normalized.</returns>
    /// <exception cref="UserErrorException">A picture cannot be decoded.</exception>
    public static Tensor Pixels(IEnumerable<byte[]> encoded, ImagePreparation preparation)
    {
        using var scope = NewDisposeScope();
        RgbImage[] images =
        [
            .. encoded.Select(content =>
                ImageDecoder.TryDecode(content, null, out var image, out var problem)
                    ? Printer.Canvas(image, preparation.Target)
                    : throw new UserErrorException($"a picture cannot be decoded: {problem}")
            ),
        ];
        return preparation.Normalization.Apply(PixelLoader.Stack(images, preparation)).MoveToOuterDisposeScope();
    }

    /// <summary>How many pictures may be looked at.</summary>
    /// <param name="passes">Forward passes that each costs.</param>
    /// <param name="minCount">As many at least.</param>
    /// <param name="maxCount">As many at most.</param>
    public static int Affordable(ClipArchitecture architecture, int passes, int minCount, int maxCount)
    {
        // Each block multiplies every token with twelve squares of its width.
        var multiplications =
            12.0 * architecture.VisionLayers * architecture.VisionWidth * architecture.VisionWidth * architecture.VisionTokens;
        return (int)Math.Clamp(Budget / (passes * multiplications), minCount, maxCount);
    }

    /// <summary>As many of the items as may be, spread evenly.</summary>
    public static IReadOnlyList<T> Some<T>(IReadOnlyList<T> items, int maxCount) =>
        items.Count <= maxCount
            ? items
            : [.. Enumerable.Range(0, maxCount).Select(place => items[(int)((long)place * items.Count / maxCount)])];
}
