using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Batches on the processor: the model has every core, so only decoding runs at the same time.</summary>
internal sealed class ProcessorBatches : IExtractionBatches
{
    private readonly LoadedModel _loaded;
    private readonly ExtractionOptions _options;
    private readonly IReadOnlyList<(HookPoint Point, ActivationFile File)> _outputs;
    private readonly torch.Tensor _batch;
    private int _placed;
    private double? _cosine;

    /// <param name="loaded">Stays the caller's, as the files do.</param>
    public ProcessorBatches(LoadedModel loaded, ExtractionOptions options, IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs)
    {
        (_loaded, _options, _outputs) = (loaded, options, outputs);
        var side = loaded.Model.Architecture.ImageResolution;
        _batch = torch.empty(SizeOf(0), 3, side, side).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public int SizeOf(int batch) => _options.BatchSize > 0 ? _options.BatchSize : ExtractionOptions.ProcessorBatch;

    /// <inheritdoc/>
    public async IAsyncEnumerable<(string Id, string? Problem)> PlaceAsync(
        IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> ImageBytes)> items,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var threads = Math.Max(1, _options.DecodeThreads);
        var prefetcher = new ImagePrefetcher<float>(
            _loaded.Model.Architecture.Preparation,
            Preprocessor.Preprocess,
            threads,
            SizeOf(0) * _options.BatchesAhead
        );
        await foreach (var image in prefetcher.Prepare(items.Select(entry => (entry.Item.Id, entry.ImageBytes)), cancel))
        {
            if (image.Pixels is { } pixels)
            {
                var length = (int)(_batch.NumberOfElements / _batch.shape[0]);
                pixels.AsSpan(0, length).CopyTo(MemoryMarshal.Cast<byte, float>(_batch.bytes).Slice(_placed++ * length, length));
                prefetcher.Return(pixels);
            }

            yield return (image.Id, image.Problem);
        }
    }

    /// <inheritdoc/>
    public void Forward(int first, IReadOnlyList<string> ids)
    {
        using var scope = torch.NewDisposeScope();
        var hooks = new Hooks();
        foreach (var (point, _) in _outputs)
        {
            hooks.Capture(point);
        }

        _placed = 0;
        var images = _batch.narrow(0, 0, ids.Count);
        _loaded.Plan.Run(images, hooks);
        foreach (var (point, file) in _outputs)
        {
            var rows = hooks.Captured(point).view(-1, file.Width);
            file.Append(file.Choose(first, ids) is { } chosen ? rows.index_select(0, torch.tensor(chosen)) : rows);
        }

        _cosine ??= _loaded.CosineToFloat32(images, hooks, _options.Compute)?.item<float>();
    }

    /// <inheritdoc/>
    public double? Complete() => _cosine;

    public void Dispose() => _batch.Dispose();
}
