using ClipSae.Clip.Preprocessing;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Data;

/// <summary>
/// Pictures at the model's resolution, kept as bytes (a quarter of the floats, and exact: the resize ends in 8 bits), with their captions.
/// </summary>
/// <param name="Pixels">uint8 [items, 3, R, R].</param>
/// <param name="Captions">One or more for each item.</param>
public sealed record CaptionedPixels(Tensor Pixels, IReadOnlyList<IReadOnlyList<string>> Captions) : IDisposable
{
    public int Count => Captions.Count;

    /// <summary>Which pictures are recorded as containing print; null where none is.</summary>
    public IReadOnlyList<bool>? Printed { get; init; }

    /// <summary>Whether a picture is recorded as containing print.</summary>
    public bool IsPrinted(int item) => Printed?[item] == true;

    /// <summary>The given items as a model takes them: float32 [batch, 3, R, R], normalised.</summary>
    public Tensor Images(int[] items, PixelNormalization normalization, Device device) => Images(Pixels, items, normalization, device);

    /// <summary>
    /// Rows of <paramref name="pixels"/>, uint8 [items, 3, R, R], as a model takes them: float32 [batch, 3, R, R], normalised.
    /// </summary>
    internal static Tensor Images(Tensor pixels, int[] items, PixelNormalization normalization, Device device)
    {
        using var scope = NewDisposeScope();
        return normalization.Apply(Rows(pixels, items).to(device)).MoveToOuterDisposeScope();
    }

    /// <summary>Rows of <paramref name="pixels"/> as they are kept.</summary>
    internal static Tensor Rows(Tensor pixels, int[] items)
    {
        using var rows = tensor(items.Select(i => (long)i).ToArray());
        return pixels.index_select(0, rows);
    }

    public void Dispose() => Pixels.Dispose();
}
