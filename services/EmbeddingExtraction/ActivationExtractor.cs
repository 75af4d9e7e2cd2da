using System.Buffers;
using System.Runtime.InteropServices;
using ClipSae.Clip;
using ClipSae.Datasets;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Runs images through the vision tower and writes what passes the hook points.</summary>
internal sealed class ActivationExtractor : IDisposable
{
    private readonly ExtractionOptions options;
    private readonly IReadOnlyList<HookPoint> points;
    private readonly ClipModel model;
    private readonly VisionPlan plan;
    private readonly torch.Tensor batch;

    /// <param name="loaded">Stays the caller's.</param>
    public ActivationExtractor(LoadedModel loaded, ExtractionOptions options)
    {
        (model, plan) = (loaded.Model, loaded.Plan);
        this.options = options;
        points = [.. options.HookPoints.Select(text => HookPoint.Parse(text).CheckedFor(model.Architecture))];
        var side = model.Architecture.ImageResolution;
        batch = torch.empty(options.Batch, 3, side, side).DetachFromDisposeScope();
        Tolerated = options.MaxUnreadableShare;
    }

    /// <summary>Share of unreadable images that is no failure.</summary>
    public double Tolerated { get; }

    /// <param name="items">The shard's items in order.</param>
    /// <param name="folder">Where the files go.</param>
    /// <param name="progress">Called with the number of images done.</param>
    public async Task<ExtractionResult> Run(
        IEnumerable<(DatasetItem Item, ReadOnlyMemory<byte> ImageBytes)> items, string folder, Action<int> progress, CancellationToken cancel)
    {
        var files = points.Select(point => new ActivationFile(folder, point, model.Architecture, options.TokensPerImage, options.Seed, StorageType)).ToList();
        try
        {
            var (ids, unreadable) = (new List<string>(), new List<KeyValuePair<string, string>>());
            double? cosine = null;
            var waiting = new List<string>(options.Batch);
            void Flush()
            {
                if (waiting.Count == 0)
                {
                    return;
                }

                Forward(files, ids.Count, waiting, ref cosine);
                ids.AddRange(waiting);
                waiting.Clear();
                progress(ids.Count + unreadable.Count);
            }

            var prefetcher = new ImagePrefetcher<float>(model.Architecture.ImageResolution, Preprocessor.Preprocess, options.DecodeThreads, options.Batch * options.BatchesAhead);
            await foreach (var image in prefetcher.Prepare(items, cancel))
            {
                if (image.Pixels is null)
                {
                    unreadable.Add(new(image.Id, image.Problem!));
                    continue;
                }

                Place(image.Pixels, waiting.Count);
                waiting.Add(image.Id);
                if (waiting.Count == options.Batch)
                {
                    Flush();
                    cancel.ThrowIfCancellationRequested();
                }
            }

            Flush();
            files.ForEach(file => file.Complete());
            return new ExtractionResult(ids, unreadable, [.. files.Zip(points, (file, point) => new ExtractedPoint(point, file.Path, file.Rows, file.Width))], cosine);
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    public void Dispose() => batch.Dispose();

    private torch.ScalarType StorageType => options.Store switch
    {
        StoragePrecision.Float16 => torch.float16,
        StoragePrecision.Bfloat16 => torch.bfloat16,
        _ => torch.float32,
    };

    private void Place(float[] pixels, int slot)
    {
        var length = (int)(batch.NumberOfElements / batch.shape[0]);
        pixels.AsSpan(0, length).CopyTo(MemoryMarshal.Cast<byte, float>(batch.bytes).Slice(slot * length, length));
        ArrayPool<float>.Shared.Return(pixels);
    }

    private void Forward(List<ActivationFile> files, int first, List<string> ids, ref double? cosine)
    {
        using var scope = torch.NewDisposeScope();
        var hooks = new Hooks();
        foreach (var point in points)
        {
            hooks.Capture(point);
        }

        plan.Run(batch.narrow(0, 0, ids.Count), hooks);
        for (var i = 0; i < files.Count; i++)
        {
            files[i].Append(hooks.Captured(points[i]), first, ids);
        }

        cosine ??= CosineToFloat32(hooks, Math.Min(ids.Count, EmbeddingExtractionStage.ImagesToCompare));
    }

    /// <summary>Smallest cosine of the first images' embeddings to those of the model in float32; null where the model itself computes in float32.</summary>
    private double? CosineToFloat32(Hooks hooks, int images)
    {
        if (options.Compute == ComputePrecision.Float32)
        {
            return null;
        }

        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var some = batch.narrow(0, 0, images);
        var embedding = new HookPoint.ImageEmbedding();
        var features = points.Contains(embedding) ? hooks.Captured(embedding).narrow(0, 0, images) : plan.EncodeImage(some);
        return torch.nn.functional.cosine_similarity(features.to(torch.float32), model.EncodeImage(some), 1).min().item<float>();
    }
}
