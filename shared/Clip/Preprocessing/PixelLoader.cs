using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using static TorchSharp.torch;

namespace ClipSae.Clip.Preprocessing;

/// <summary>
/// Decodes, resizes and crops many pictures at once into bytes; <see cref="PixelNormalization"/> makes them the model's input.
/// </summary>
public static class PixelLoader
{
    /// <summary>Pictures that are decoded already.</summary>
    /// <returns>uint8 [images, 3, R, R].</returns>
    public static Tensor Stack(IReadOnlyList<RgbImage> images, ImagePreparation preparation) =>
        Load(images.Count, i => DecodedImage.Of(images[i]), preparation);

    /// <summary>Decodes each picture on all cores; what <paramref name="decode"/> throws is thrown.</summary>
    /// <param name="decode">The picture at an index; called from several threads.</param>
    /// <returns>uint8 [images, 3, R, R].</returns>
    public static Tensor Load(int count, Func<int, DecodedImage> decode, ImagePreparation preparation, CancellationToken cancel = default)
    {
        var rows = new PixelRows(count, preparation);
        try
        {
            ThrowFirst(() => Parallel.For(0, count, new ParallelOptions { CancellationToken = cancel }, i => rows.Set(i, decode(i))));
            return rows.Pixels;
        }
        catch
        {
            rows.Pixels.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Decodes pictures as they are read, on all cores, each into its row; no more of them are held at once than are being decoded.
    /// </summary>
    /// <param name="pictures">Image files, their names and where they belong; read by one thread at a time.</param>
    /// <param name="unreadable">Told the name and the problem of each that cannot be decoded, from any thread; its row is then left as it
    /// is. Null refuses the first.</param>
    /// <exception cref="UserErrorException">A picture cannot be decoded; the message names it.</exception>
    public static void Fill(
        IEnumerable<(PixelRows Target, int Row, string Name, ReadOnlyMemory<byte> Encoded)> pictures,
        Action<string, string>? unreadable = null,
        CancellationToken cancel = default
    ) =>
        ThrowFirst(() =>
            Parallel.ForEach(
                Partitioner.Create(pictures, EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { CancellationToken = cancel },
                picture =>
                {
                    if (ImageDecoder.TryRead(picture.Encoded, null, out var read, out var problem))
                    {
                        picture.Target.Set(picture.Row, read);
                        return;
                    }

                    (
                        unreadable
                        ?? (
                            (name, reason) =>
                                throw new UserErrorException($"{name} cannot be read: {reason}. Replace it or remove it from the data set")
                        )
                    )(picture.Name, problem);
                }
            )
        );

    private static void ThrowFirst(Action parallel)
    {
        try
        {
            parallel();
        }
        catch (AggregateException error) when (error.InnerExceptions.Count > 0)
        {
            ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
        }
    }
}
