using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// Batches on a GPU. Cores decode to bytes, which go up from page-locked memory and are normalised there; of the activations only the rows
/// that are kept come down, in the precision that is stored; a thread of its own writes and digests them. Nobody waits for anyone but
/// through the few slots that go round, so memory is bounded and the card is never idle while the others keep up.
/// </summary>
internal sealed class DeviceBatches : IExtractionBatches
{
    // The first batches are small, so that the card has something to do before a large one is decoded.
    private const int FirstBatch = 32;

    private readonly LoadedModel _loaded;
    private readonly ExtractionOptions _options;
    private readonly IReadOnlyList<(HookPoint Point, ActivationFile File)> _outputs;
    private readonly torch.Device _device;
    private readonly BlockingCollection<(DeviceSlot Slot, int[] Rows)> _filled = [];
    private readonly BlockingCollection<DeviceSlot> _free = [];
    private readonly CancellationTokenSource _failed = new();
    private readonly Task _writing;
    private DeviceSlot _current;
    private int _placed;
    private torch.Tensor? _cosine;

    /// <param name="loaded">Stays the caller's, as the files do; its slots are used.</param>
    public DeviceBatches(LoadedModel loaded, ExtractionOptions options, IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs)
    {
        (_loaded, _options, _outputs) = (loaded, options, outputs);
        _device = loaded.Device;
        Largest = DeviceSlot.BatchFor(options, outputs);
        foreach (var slot in loaded.Slots(Largest, outputs))
        {
            _free.Add(slot);
        }

        _current = _free.Take();
        _writing = Task.Factory.StartNew(WriteAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private int Largest { get; }

    /// <inheritdoc/>
    public int SizeOf(int batch) => (int)Math.Min(Largest, (long)FirstBatch << Math.Min(batch, 16));

    /// <inheritdoc/>
    public async IAsyncEnumerable<(string Id, string? Problem)> PlaceAsync(
        IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> ImageBytes)> items,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var threads = _options.DecodeThreads > 0 ? _options.DecodeThreads : Environment.ProcessorCount;
        var prefetcher = new ImagePrefetcher<byte>(
            _loaded.Model.Architecture.Preparation,
            Preprocessor.Resize,
            threads,
            Math.Max(threads, Largest * _options.BatchesAhead)
        );
        await foreach (var image in prefetcher.Prepare(items.Select(entry => (entry.Item.Id, entry.ImageBytes)), cancel))
        {
            if (image.Pixels is { } pixels)
            {
                _current.Place(_placed++, pixels);
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
            foreach (var (point, _) in _outputs)
            {
                hooks.Capture(point);
            }

            var pixels = _current.Pixels.narrow(0, 0, ids.Count).to(_device, non_blocking: true);
            _loaded.Plan.Run(pixels, hooks);
            var counts = new int[_outputs.Count];
            for (var i = 0; i < _outputs.Count; i++)
            {
                var (point, file) = _outputs[i];
                var rows = hooks.Captured(point).view(-1, file.Width);
                if (file.Choose(first, ids) is { } chosen)
                {
                    rows = rows.index_select(0, _current.Upload(i, chosen, _device));
                }

                counts[i] = (int)rows.shape[0];
                _current.Rows[i].narrow(0, 0, counts[i]).copy_(rows.to(file.Type), true);
            }

            _cosine ??= _loaded.CosineToFloat32(pixels, hooks, _options.Compute)?.DetachFromDisposeScope();
            _current.Done.Record();
            _filled.Add((_current, counts));
        }

        _placed = 0;
        _current = NextFree();
    }

    /// <inheritdoc/>
    public double? Complete()
    {
        _filled.CompleteAdding();
        _writing.GetAwaiter().GetResult();
        return _cosine?.cpu().item<float>();
    }

    public void Dispose()
    {
        _filled.CompleteAdding();
        // What failed there is thrown where it is waited for; here it only has to have ended, since it uses the slots and the files.
        Task.WaitAny(_writing);
        _cosine?.Dispose();
        _filled.Dispose();
        _free.Dispose();
        _failed.Dispose();
    }

    private DeviceSlot NextFree()
    {
        try
        {
            return _free.Take(_failed.Token);
        }
        catch (OperationCanceledException)
        {
            _writing.GetAwaiter().GetResult();
            throw;
        }
    }

    private void WriteAll()
    {
        try
        {
            foreach (var (slot, rows) in _filled.GetConsumingEnumerable())
            {
                slot.Done.Wait();
                for (var i = 0; i < _outputs.Count; i++)
                {
                    using var part = slot.Rows[i].narrow(0, 0, rows[i]);
                    _outputs[i].File.Append(part);
                }

                _free.Add(slot);
            }
        }
        catch
        {
            _failed.Cancel();
            throw;
        }
    }
}
