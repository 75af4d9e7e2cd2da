using System.Buffers;
using ClipSae.Datasets;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Clip;

/// <summary>Pictures at a model's resolution as bytes in one tensor, which are put in row by row, from any thread and in any order: 3·R² bytes a picture.</summary>
public sealed class PixelRows
{
    private readonly int _count;
    private readonly int _resolution;
    private readonly nint _start;

    /// <param name="count">Pictures; every row is to be set before it is read.</param>
    /// <param name="resolution">R, pixels a side.</param>
    public PixelRows(int count, int resolution)
    {
        (_count, _resolution) = (count, resolution);
        Pixels = empty(new long[] { count, 3, resolution, resolution }, ScalarType.Byte);
        _start = count == 0 ? 0 : LargePages.Address(Pixels);
    }

    /// <summary>uint8 [count, 3, R, R]; the caller's to dispose.</summary>
    public Tensor Pixels { get; }

    /// <summary>Resizes and crops a picture into a row.</summary>
    public unsafe void Set(int row, Picture picture)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, _count);
        var plane = _resolution * _resolution;
        var resized = ArrayPool<byte>.Shared.Rent(3 * plane);
        try
        {
            var hwc = resized.AsSpan(0, 3 * plane);
            Preprocessor.Resize(
                picture.Pixels.Span, picture.Mode, new PixelWindow(0, 0, picture.Width, picture.Height), picture.Width, picture.Height, _resolution, hwc);
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
