using ClipSae.Tensors;
using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.Clip;

/// <summary>The last step of CLIP's preprocessing: bytes to normalised floats (science, section 1).</summary>
public static class PixelNormalization
{
    /// <summary>Mean of each channel, of pixels between 0 and 1.</summary>
    public static readonly IReadOnlyList<float> Mean = [0.48145466f, 0.4578275f, 0.40821073f];

    /// <summary>Standard deviation of each channel.</summary>
    public static readonly IReadOnlyList<float> Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    // Made once a device: sending six numbers up takes longer than the arithmetic with them.
    private static readonly ConcurrentDictionary<(DeviceType, int), (Tensor Scale, Tensor Shift)> Constants = new();

    /// <param name="pixels">uint8 [batch, 3, R, R], resized and cropped.</param>
    /// <returns>float32 [batch, 3, R, R] on the same device.</returns>
    public static Tensor Apply(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var device = pixels.device;
        var (scale, shift) = Constants.GetOrAdd((device.type, device.index), _ => (
            Channels(Deviation.Select(d => 1 / (255 * d)), device), Channels(Mean.Zip(Deviation, (m, d) => m / d), device)));
        return pixels.to(ScalarType.Float32).mul_(scale).sub_(shift).MoveToOuterDisposeScope();
    }

    private static Tensor Channels(IEnumerable<float> values, Device device)
    {
        using var scope = NewDisposeScope();
        return AlignedTensor.Of([.. values], 1, 3, 1, 1).to(device).DetachFromDisposeScope();
    }
}
