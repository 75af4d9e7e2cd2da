using static TorchSharp.torch;

namespace ClipSae.Clip;

/// <summary>The last step of CLIP's preprocessing: bytes to normalised floats (science, section 1).</summary>
public static class PixelNormalization
{
    /// <summary>Mean of each channel, of pixels between 0 and 1.</summary>
    public static readonly IReadOnlyList<float> Mean = [0.48145466f, 0.4578275f, 0.40821073f];

    /// <summary>Standard deviation of each channel.</summary>
    public static readonly IReadOnlyList<float> Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    /// <param name="pixels">uint8 [batch, 3, R, R], resized and cropped.</param>
    /// <returns>float32 [batch, 3, R, R] on the same device.</returns>
    public static Tensor Apply(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var scale = tensor(Deviation.Select(d => 1 / (255 * d)).ToArray(), device: pixels.device).view(1, 3, 1, 1);
        var shift = tensor(Mean.Zip(Deviation, (m, d) => m / d).ToArray(), device: pixels.device).view(1, 3, 1, 1);
        return pixels.to(ScalarType.Float32).mul_(scale).sub_(shift).MoveToOuterDisposeScope();
    }
}
