using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ClipSae.Clip;
using ClipSae.Datasets;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// Batches on a GPU. Cores decode to bytes, which go up from page-locked memory and are normalised there; of the activations only the rows that are
/// kept come down, in the precision that is stored; a thread of its own writes and digests them. Nobody waits for anyone but through the few slots that go
/// round, so memory is bounded and the card is never idle while the others keep up.
/// </summary>
internal sealed class DeviceBatches : IExtractionBatches
{
    // The first batches are small, so that the card has something to do before a large one is decoded.
    private const int FirstBatch = 32;

    private readonly LoadedModel loaded;
    private readonly ExtractionOptions options;
    private readonly IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs;
    private readonly torch.Device device;
    private readonly BlockingCollection<(DeviceSlot Slot, int[] Rows)> filled = [];
    private readonly BlockingCollection<DeviceSlot> free = [];
    private readonly CancellationTokenSource failed = new();
    private readonly Task writing;
    private DeviceSlot current;
    private int placed;
    private torch.Tensor? cosine;

    /// <param name="loaded">Stays the caller's, as the files do; its slots are used.</param>
    public DeviceBatches(LoadedModel loaded, ExtractionOptions options, IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs)
    {
        (this.loaded, this.options, this.outputs) = (loaded, options, outputs);
        device = loaded.Device;
        Largest = DeviceSlot.BatchFor(options, outputs);
        foreach (var slot in loaded.Slots(Largest, outputs))
        {
            free.Add(slot);
        }

        current = free.Take();
        writing = Task.Factory.StartNew(WriteAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private int Largest { get; }

    /// <inheritdoc/>
    public int SizeOf(int batch) => (int)Math.Min(Largest, (long)FirstBatch << Math.Min(batch, 16));

    /// <inheritdoc/>
    public async IAsyncEnumerable<(string Id, string? Problem)> PlaceAsync(
        IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> ImageBytes)> items, [EnumeratorCancellation] CancellationToken cancel)
    {
        var threads = options.DecodeThreads > 0 ? options.DecodeThreads : Environment.ProcessorCount;
        var prefetcher = new ImagePrefetcher<byte>(loaded.Model.Architecture.Preparation, Preprocessor.Resize, threads, Math.Max(threads, Largest * options.BatchesAhead));
        await foreach (var image in prefetcher.Prepare(items.Select(entry => (entry.Item.Id, entry.ImageBytes)), cancel))
        {
            if (image.Pixels is { } pixels)
            {
                current.Place(placed++, pixels);
                prefetcher.Return(pixels);
            }

            yield return (image.Id, image.Problem);
        }
    }

    /// <inheritdoc/>
    public void Forward(int first, IReadOnlyList<string> ids)
    {
        using (torch.NewDisposeScope())
        using (torch.no_grad())
        {
            var hooks = new Hooks();
            foreach (var (point, _) in outputs)
            {
                hooks.Capture(point);
            }

            var pixels = current.Pixels.narrow(0, 0, ids.Count).to(device, non_blocking: true);
            loaded.Plan.Run(pixels, hooks);
            var counts = new int[outputs.Count];
            for (var i = 0; i < outputs.Count; i++)
            {
                var (point, file) = outputs[i];
                var rows = hooks.Captured(point).view(-1, file.Width);
                if (file.Choose(first, ids) is { } chosen)
                {
                    rows = rows.index_select(0, current.Upload(i, chosen, device));
                }

                counts[i] = (int)rows.shape[0];
                current.Rows[i].narrow(0, 0, counts[i]).copy_(rows.to(file.Type), true);
            }

            cosine ??= loaded.CosineToFloat32(pixels, hooks, options.Compute)?.DetachFromDisposeScope();
            current.Done.Record();
            filled.Add((current, counts));
        }

        placed = 0;
        current = NextFree();
    }

    /// <inheritdoc/>
    public double? Complete()
    {
        filled.CompleteAdding();
        writing.GetAwaiter().GetResult();
        return cosine?.cpu().item<float>();
    }

    public void Dispose()
    {
        filled.CompleteAdding();
        // What failed there is thrown where it is waited for; here it only has to have ended, since it uses the slots and the files.
        Task.WaitAny(writing);
        cosine?.Dispose();
        filled.Dispose();
        free.Dispose();
        failed.Dispose();
    }

    private DeviceSlot NextFree()
    {
        try
        {
            return free.Take(failed.Token);
        }
        catch (OperationCanceledException)
        {
            writing.GetAwaiter().GetResult();
            throw;
        }
    }

    private void WriteAll()
    {
        try
        {
            foreach (var (slot, rows) in filled.GetConsumingEnumerable())
            {
                slot.Done.Wait();
                for (var i = 0; i < outputs.Count; i++)
                {
                    using var part = slot.Rows[i].narrow(0, 0, rows[i]);
                    outputs[i].File.Append(part);
                }

                free.Add(slot);
            }
        }
        catch
        {
            failed.Cancel();
            throw;
        }
    }
}
