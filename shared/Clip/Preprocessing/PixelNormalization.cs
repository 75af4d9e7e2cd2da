using System.Collections.Concurrent;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.Clip.Preprocessing;

/// <summary>The last step of a model's preprocessing: bytes to normalised floats (science, section 1).</summary>
public sealed class PixelNormalization
{
    private const int LevelsOfChannel = 256;

    // Made once a device: sending six numbers up takes longer than the arithmetic with them.
    private readonly ConcurrentDictionary<(DeviceType, int), (Tensor Scale, Tensor Shift)> _constants = new();
    private readonly float[] _levels;

    private PixelNormalization(IReadOnlyList<float> mean, IReadOnlyList<float> deviation)
    {
        (Mean, Deviation) = (mean, deviation);
        _levels =
        [
            .. mean.Zip(deviation)
                .SelectMany(channel =>
                    Enumerable.Range(0, LevelsOfChannel).Select(level => (level / 255f - channel.First) / channel.Second)
                ),
        ];
    }

    /// <summary>CLIP's means and deviations.</summary>
    public static PixelNormalization OpenAi { get; } = new([0.48145466f, 0.4578275f, 0.40821073f], [0.26862954f, 0.26130258f, 0.27577711f]);

    /// <summary>SigLIP's: from −1 to 1 in every channel.</summary>
    public static PixelNormalization Halves { get; } = new([0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]);

    /// <summary>Mean of each channel, of pixels between 0 and 1.</summary>
    public IReadOnlyList<float> Mean { get; }

    /// <summary>Standard deviation of each channel.</summary>
    public IReadOnlyList<float> Deviation { get; }

    /// <summary>What each of 256 levels becomes, [3, 256], rounded as torchvision's float32 steps do.</summary>
    internal ReadOnlySpan<float> Levels => _levels;

    /// <param name="pixels">uint8 [batch, 3, R, R], resized and cropped.</param>
    /// <returns>float32 [batch, 3, R, R] on the same device.</returns>
    public Tensor Apply(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var device = pixels.device;
        var (scale, shift) = _constants.GetOrAdd((device.type, device.index), _ =>
            (Channels(Deviation.Select(d => 1 / (255 * d)), device), Channels(Mean.Zip(Deviation, (m, d) => m / d), device))
        );
        return pixels.to(ScalarType.Float32).mul_(scale).sub_(shift).MoveToOuterDisposeScope();
    }

    private static Tensor Channels(IEnumerable<float> values, Device device)
    {
        using var scope = NewDisposeScope();
        return AlignedTensor.Of([.. values], 1, 3, 1, 1).to(device).DetachFromDisposeScope();
    }
}
