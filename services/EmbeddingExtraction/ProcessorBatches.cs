using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ClipSae.Clip;
using ClipSae.Datasets;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Batches on the processor: the model has every core, so only decoding runs beside it.</summary>
internal sealed class ProcessorBatches : IExtractionBatches
{
    private readonly LoadedModel loaded;
    private readonly ExtractionOptions options;
    private readonly IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs;
    private readonly torch.Tensor batch;
    private int placed;
    private double? cosine;

    /// <param name="loaded">Stays the caller's, as the files do.</param>
    public ProcessorBatches(LoadedModel loaded, ExtractionOptions options, IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs)
    {
        (this.loaded, this.options, this.outputs) = (loaded, options, outputs);
        var side = loaded.Model.Architecture.ImageResolution;
        batch = torch.empty(SizeOf(0), 3, side, side).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public int SizeOf(int batch) => options.Batch > 0 ? options.Batch : ExtractionOptions.ProcessorBatch;

    /// <inheritdoc/>
    public async IAsyncEnumerable<(string Id, string? Problem)> PlaceAsync(
        IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> ImageBytes)> items, [EnumeratorCancellation] CancellationToken cancel)
    {
        var threads = Math.Max(1, options.DecodeThreads);
        var prefetcher = new ImagePrefetcher<float>(loaded.Model.Architecture.Preparation, Preprocessor.Preprocess, threads, SizeOf(0) * options.BatchesAhead);
        await foreach (var image in prefetcher.Prepare(items.Select(entry => (entry.Item.Id, entry.ImageBytes)), cancel))
        {
            if (image.Pixels is { } pixels)
            {
                var length = (int)(batch.NumberOfElements / batch.shape[0]);
                pixels.AsSpan(0, length).CopyTo(MemoryMarshal.Cast<byte, float>(batch.bytes).Slice(placed++ * length, length));
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
        foreach (var (point, _) in outputs)
        {
            hooks.Capture(point);
        }

        placed = 0;
        var images = batch.narrow(0, 0, ids.Count);
        loaded.Plan.Run(images, hooks);
        foreach (var (point, file) in outputs)
        {
            var rows = hooks.Captured(point).view(-1, file.Width);
            file.Append(file.Choose(first, ids) is { } chosen ? rows.index_select(0, torch.tensor(chosen)) : rows);
        }

        cosine ??= loaded.CosineToFloat32(images, hooks, options.Compute)?.item<float>();
    }

    /// <inheritdoc/>
    public double? Complete() => cosine;

    public void Dispose() => batch.Dispose();
}
