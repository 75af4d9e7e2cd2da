using ClipSae.Clip.Architecture;
using ClipSae.Datasets;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Runs images through the vision tower and writes what passes the hook points.</summary>
/// <param name="loaded">Stays the caller's.</param>
internal sealed class ActivationExtractor(LoadedModel loaded, ExtractionOptions options)
{
    private readonly IReadOnlyList<HookPoint> _points = options.PointsOf(loaded.Model.Architecture, isText: false);

    /// <param name="items">The shard's items in order.</param>
    /// <param name="total">How many there are, readable or not; 0 where that is not known.</param>
    /// <param name="folder">Where the files go.</param>
    /// <param name="progress">Called with the number of images done.</param>
    public async Task<ExtractionResult> Run(
        IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> ImageBytes)> items,
        int total,
        string folder,
        Action<int> progress,
        CancellationToken cancel
    )
    {
        var outputs = _points
            .Select(point => (Point: point, File: new ActivationFile(folder, point, loaded.Model.Architecture, options, total)))
            .ToList();
        try
        {
            using IExtractionBatches batches =
                loaded.Device.type == DeviceType.CUDA
                    ? new DeviceBatches(loaded, options, outputs)
                    : new ProcessorBatches(loaded, options, outputs);
            var (ids, unreadable) = (new List<string>(), new List<KeyValuePair<string, string>>());
            var (waiting, batch) = (new List<string>(), 0);
            void Flush()
            {
                if (waiting.Count > 0)
                {
                    batches.Forward(ids.Count, waiting);
                    ids.AddRange(waiting);
                    waiting.Clear();
                    batch++;
                    progress(ids.Count + unreadable.Count);
                }
            }

            await foreach (var (id, problem) in batches.PlaceAsync(items, cancel))
            {
                if (problem is not null)
                {
                    unreadable.Add(new(id, problem));
                    continue;
                }

                waiting.Add(id);
                if (waiting.Count == batches.SizeOf(batch))
                {
                    Flush();
                    cancel.ThrowIfCancellationRequested();
                }
            }

            Flush();
            var cosine = batches.Complete();
            outputs.ForEach(output => output.File.Complete());
            return new ExtractionResult(
                ids,
                unreadable,
                [.. outputs.Select(output => new ExtractedPoint(output.Point, output.File.Path, output.File.Rows, output.File.Width))],
                cosine
            );
        }
        finally
        {
            outputs.ForEach(output => output.File.Dispose());
        }
    }
}
