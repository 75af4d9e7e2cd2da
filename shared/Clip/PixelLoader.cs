using System.Buffers;
using ClipSae.Datasets;
using static TorchSharp.torch;

namespace ClipSae.Clip;

/// <summary>Decodes, resizes and crops many pictures at once into bytes; <see cref="PixelNormalization"/> makes them the model's input.</summary>
public static class PixelLoader
{
    /// <summary>Pictures that are decoded already.</summary>
    /// <returns>uint8 [images, 3, R, R].</returns>
    public static Tensor Stack(IReadOnlyList<RgbImage> images, int resolution) => Load(images.Count, i => images[i], resolution);

    /// <summary>Decodes each picture on all cores; what <paramref name="decode"/> throws is thrown.</summary>
    /// <param name="decode">The picture at an index; called from several threads.</param>
    /// <returns>uint8 [images, 3, R, R].</returns>
    public static Tensor Load(int count, Func<int, RgbImage> decode, int resolution, CancellationToken cancel = default)
    {
        var pixels = zeros(new long[] { count, 3, resolution, resolution }, ScalarType.Byte);
        var start = AddressOf(pixels);
        try
        {
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancel }, i => Fill(start, i, decode(i), resolution));
            return pixels;
        }
        catch (AggregateException error) when (error.InnerExceptions.Count > 0)
        {
            pixels.Dispose();
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
            throw;
        }
    }

    private static unsafe nint AddressOf(Tensor pixels)
    {
        fixed (byte* first = &System.Runtime.InteropServices.MemoryMarshal.GetReference(pixels.bytes))
        {
            // Native memory: the garbage collector does not move it.
            return (nint)first;
        }
    }

    private static unsafe void Fill(nint pixels, long index, RgbImage image, int resolution)
    {
        var plane = resolution * resolution;
        var resized = ArrayPool<byte>.Shared.Rent(3 * plane);
        try
        {
            var hwc = resized.AsSpan(0, 3 * plane);
            Preprocessor.Resize(image.Rgb, new PixelWindow(0, 0, image.Width, image.Height), image.Width, image.Height, resolution, hwc);
            var target = (byte*)pixels + (index * 3 * plane);
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
