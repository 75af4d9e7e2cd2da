using System.Buffers;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Clip.Preprocessing;

/// <summary>
/// Pictures at a model's resolution as bytes in one tensor, which are put in row by row, from any thread and in any order: 3·R² bytes a
/// picture.
/// </summary>
public sealed class PixelRows
{
    private readonly int _count;
    private readonly ImagePreparation _preparation;
    private readonly nint _start;

    /// <param name="count">Pictures; every row is to be set before it is read.</param>
    /// <param name="preparation">What the model takes: R is its resolution.</param>
    public PixelRows(int count, ImagePreparation preparation)
    {
        (_count, _preparation) = (count, preparation);
        Pixels = empty(new long[] { count, 3, preparation.Resolution, preparation.Resolution }, ScalarType.Byte);
        _start = count == 0 ? 0 : LargePages.Address(Pixels);
    }

    /// <summary>uint8 [count, 3, R, R]; the caller's to dispose.</summary>
    public Tensor Pixels { get; }

    /// <summary>Resizes and crops a picture into a row.</summary>
    public unsafe void Set(int row, DecodedImage picture)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, _count);
        var plane = _preparation.Resolution * _preparation.Resolution;
        var resized = ArrayPool<byte>.Shared.Rent(3 * plane);
        try
        {
            var hwc = resized.AsSpan(0, 3 * plane);
            ImageResize.Resize(picture, _preparation.Target, hwc);
            var target = (byte*)_start + ((long)row * 3 * plane);
            for (var p = 0; p < plane; p++)
            {
                target[p] = hwc[3 * p];
                target[plane + p] = hwc[(3 * p) + 1];
                target[(2 * plane) + p] = hwc[(3 * p) + 2];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(resized);
        }
    }
}
