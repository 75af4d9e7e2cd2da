using ClipSae.Clip;
using static TorchSharp.torch;

namespace ClipSae.FineTuning;

/// <summary>Pictures at the model's resolution, kept as bytes (a quarter of the floats, and exact: CLIP's resize ends in 8 bits), with their captions.</summary>
/// <param name="Pixels">uint8 [items, 3, R, R].</param>
/// <param name="Captions">One or more for each item.</param>
public sealed record CaptionedPixels(Tensor Pixels, IReadOnlyList<IReadOnlyList<string>> Captions) : IDisposable
{
    public int Count => Captions.Count;

    /// <summary>The given items as the model takes them: float32 [batch, 3, R, R], normalised.</summary>
    public Tensor Images(ReadOnlySpan<int> items, Device device)
    {
        using var scope = NewDisposeScope();
        var rows = tensor(items.ToArray().Select(i => (long)i).ToArray());
        return PixelNormalization.Apply(Pixels.index_select(0, rows).to(device)).MoveToOuterDisposeScope();
    }

    public void Dispose() => Pixels.Dispose();
}
