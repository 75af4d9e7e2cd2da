using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets.Shards;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>
/// The pixels of a set. The first pass decodes ahead of the model, on threads of its own, and keeps what later passes of other models read:
/// no model waits for a decoder, and no image is decoded twice.
/// </summary>
/// <param name="set">The images.</param>
/// <param name="preparation">What the models take.</param>
/// <param name="batchSize">Images in a batch.</param>
/// <param name="store">Keeps the pixels; null where nobody will read them again.</param>
internal sealed class SetPixels(SetImages set, ImagePreparation preparation, int batchSize, PixelStore? store) : IDisposable
{
    private const int BatchesAhead = 2;
    private readonly SortedDictionary<int, string> _unreadable = [];
    private int[]? _readable;

    /// <summary>Why images could not be read, by their index in the set; known after the first pass.</summary>
    public IReadOnlyDictionary<int, string> Unreadable => _unreadable;

    /// <summary>All readable images, in the order of the set.</summary>
    public IEnumerable<PixelBatch> Batches(CancellationToken cancel) => _readable is null ? Decode(cancel) : ReadBack(_readable);

    /// <summary>The levels of a readable image, counted among the readable ones; there must have been a store.</summary>
    public byte[] Levels(int readable)
    {
        var levels = new byte[3 * preparation.Resolution * preparation.Resolution];
        store!.Read([set.Rows[_readable![readable]]], levels);
        return levels;
    }

    public void Dispose() => store?.Dispose();

    private IEnumerable<PixelBatch> Decode(CancellationToken cancel)
    {
        var imageBytes = 3 * preparation.Resolution * preparation.Resolution;
        var levels = new byte[batchSize * imageBytes];
        var readable = new List<int>();
        var (image, filled) = (0, 0);
        var prefetcher = new ImagePrefetcher<byte>(
            preparation,
            Preprocessor.Resize,
            Math.Max(1, Environment.ProcessorCount / 2),
            BatchesAhead * batchSize
        );
        foreach (var prepared in prefetcher.Prepare(Wanted(), cancel).ToBlockingEnumerable(cancel))
        {
            if (prepared.Pixels is null)
            {
                _unreadable[image++] = $"unreadable: {prepared.Problem}";
                continue;
            }

            var pixels = prepared.Pixels.AsSpan(0, imageBytes);
            pixels.CopyTo(levels.AsSpan(filled * imageBytes));
            store?.Write(set.Rows[image], pixels.ToArray());
            prefetcher.Return(prepared.Pixels);
            readable.Add(image++);
            if (++filled == batchSize)
            {
                yield return new PixelBatch(levels, filled);
                filled = 0;
            }
        }

        if (filled > 0)
        {
            yield return new PixelBatch(levels.AsMemory(0, filled * imageBytes), filled);
        }

        _readable = [.. readable];
    }

    private IEnumerable<PixelBatch> ReadBack(int[] readable)
    {
        var imageBytes = 3 * preparation.Resolution * preparation.Resolution;
        var levels = new byte[batchSize * imageBytes];
        foreach (var batch in readable.Chunk(batchSize))
        {
            var memory = levels.AsMemory(0, batch.Length * imageBytes);
            store!.Read([.. batch.Select(image => set.Rows[image])], memory.Span);
            yield return new PixelBatch(memory, batch.Length);
        }
    }

    private IEnumerable<(string Id, ReadOnlyMemory<byte> ImageBytes)> Wanted()
    {
        var (row, next) = (0, 0);
        foreach (var entry in set.Shards.SelectMany(DatasetShard.Read))
        {
            if (next == set.Rows.Length)
            {
                yield break;
            }

            if (row++ == set.Rows[next])
            {
                next++;
                yield return (entry.Item.Id, entry.ImageBytes);
            }
        }
    }
}
