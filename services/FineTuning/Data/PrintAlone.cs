using ClipSae.Clip.Preprocessing;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Data;

/// <summary>Separates the print of an attack from the picture that it was printed on: it is where the two differ.</summary>
public static class PrintAlone
{
    /// <summary>
    /// Levels of 255 that a channel of a printed pixel differs from the picture's by more than; a word on its own colour cannot be read
    /// either.
    /// </summary>
    private const int MinDifference = 24;

    /// <summary>Where print is.</summary>
    /// <param name="attacks">uint8 [pictures, 3, R, R].</param>
    /// <param name="sources">The pictures printed on, uint8 [pictures, 3, R, R].</param>
    /// <returns>float32 [pictures, 1, R, R]: 1 on print, else 0.</returns>
    public static Tensor Mask(Tensor attacks, Tensor sources) => PixelDifference.Above(attacks, sources, MinDifference);

    /// <summary>The attacks' print, plates and outlines with it, on grey: the model's mean pixel, which is 0 once normalised.</summary>
    /// <param name="attacks">uint8 [pictures, 3, R, R].</param>
    /// <param name="sources">The pictures printed on, uint8 [pictures, 3, R, R].</param>
    /// <param name="normalization">The model's.</param>
    /// <returns>uint8 [pictures, 3, R, R].</returns>
    public static Tensor Of(Tensor attacks, Tensor sources, PixelNormalization normalization)
    {
        using var scope = NewDisposeScope();
        var grey = AlignedTensor.Of([.. normalization.Mean.Select(mean => (float)Math.Round(255 * mean))], 1, 3, 1, 1).to(attacks.device);
        return lerp(grey.expand(attacks.shape), attacks.to(ScalarType.Float32), Mask(attacks, sources))
            .to(ScalarType.Byte)
            .MoveToOuterDisposeScope();
    }
}
