using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Preprocessing;

/// <summary>Where one picture differs from another of the same size: there, something was printed on it.</summary>
public static class PixelDifference
{
    /// <param name="pictures">uint8 [pictures, 3, R, R].</param>
    /// <param name="others">uint8 [pictures, 3, R, R].</param>
    /// <param name="levels">Levels of 255 that the most different channel of a pixel must exceed.</param>
    /// <returns>float32 [pictures, 1, R, R]: 1 where they differ by more, else 0.</returns>
    public static torch.Tensor Above(torch.Tensor pictures, torch.Tensor others, int levels)
    {
        using var scope = torch.NewDisposeScope();
        return (pictures.to(torch.int16) - others.to(torch.int16))
            .abs()
            .amax([1], keepdim: true)
            .IsAbove(levels)
            .to(torch.float32)
            .MoveToOuterDisposeScope();
    }
}
