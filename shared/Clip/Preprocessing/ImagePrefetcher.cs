using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Preprocessing;

/// <summary>
/// Decodes and preprocesses ahead of the model on threads of its own, in a bounded channel, so that the model finds its next
/// batch ready and memory stays flat. Order is kept.
/// </summary>
/// <param name="preparation">What the model takes.</param>
/// <param name="prepare">What is made of a decoded picture.</param>
/// <param name="threads">Images in work at once.</param>
/// <param name="ahead">Images ready or in work at most.</param>
public sealed class ImagePrefetcher<T>(ImagePreparation preparation, PixelPreparation<T> prepare, int threads, int ahead)
{
    private readonly ConcurrentBag<RegionDecoder> _decoders = [];

    // The shared pool keeps fewer arrays of this size than wait ahead of a GPU, and making one again takes as long as decoding into it.
    private readonly ConcurrentBag<T[]> _free = [];

    /// <summary>The images in order; what <paramref name="items"/> throws is thrown where its next image would come.</summary>
    public async IAsyncEnumerable<PreparedImage<T>> Prepare(
        IEnumerable<(string Id, ReadOnlyMemory<byte> ImageBytes)> items,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var channel = Channel.CreateBounded<Task<PreparedImage<T>>>(
            new BoundedChannelOptions(ahead) { SingleReader = true, SingleWriter = true }
        );
        var producer = Task.Run(() => Produce(items, channel.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (var image in channel.Reader.ReadAllAsync(cancel))
            {
                yield return await image;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await producer;
        }
    }

    /// <summary>Takes back the pixels of an image, for one of the next.</summary>
    public void Return(T[] pixels) => _free.Add(pixels);

    private async Task Produce(
        IEnumerable<(string Id, ReadOnlyMemory<byte> ImageBytes)> items,
        ChannelWriter<Task<PreparedImage<T>>> writer,
        CancellationToken cancel
    )
    {
        using var places = new SemaphoreSlim(threads);
        var started = new List<Task>();
        try
        {
            foreach (var (id, bytes) in items)
            {
                await places.WaitAsync(cancel);
                var work = Task.Run(() => Prepare(id, bytes, places), CancellationToken.None);
                started.RemoveAll(task => task.IsCompleted);
                started.Add(work);
                await writer.WriteAsync(work, cancel);
            }

            writer.Complete();
        }
        catch (Exception failure)
        {
            // The reader meets it where it would have met the next image; a cancelled reader has left already.
            writer.Complete(failure);
        }
        finally
        {
            await Task.WhenAll(started);
        }
    }

    private PreparedImage<T> Prepare(string id, ReadOnlyMemory<byte> bytes, SemaphoreSlim places)
    {
        var decoder = _decoders.TryTake(out var idle) ? idle : new RegionDecoder();
        try
        {
            if (!decoder.TryDecode(bytes, Needed, out var image, out var problem))
            {
                return new PreparedImage<T>(id, null, problem);
            }

            var length = 3 * preparation.Resolution * preparation.Resolution;
            var pixels = _free.TryTake(out var used) ? used : GC.AllocateUninitializedArray<T>(length);
            prepare(image, preparation, pixels);
            return new PreparedImage<T>(id, pixels, null);
        }
        finally
        {
            _decoders.Add(decoder);
            places.Release();
        }
    }

    private ImageRegion Needed(int width, int height) => ImageResize.Needed(width, height, preparation.Target);
}
