using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.EmbeddingExtraction;
using ClipSae.Pipeline.Stages;
using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>
/// The whole extraction stage in bfloat16 on shards of photographs (tar, decoding, model, safetensors, digest, store), beside what bounds
/// it, measured in the same run: the bare tower, decoding and resizing on all cores, and the disk's write rate.
/// </summary>
internal sealed class ExtractionWork : IGpuWork
{
    private const int Width = 500;
    private const int Height = 400;

    // They cost more to make than to decode.
    private const int Distinct = 200;

    public string Name => "extraction";

    public IEnumerable<GpuFigure> Measure(torch.Device device, GpuScale scale, GemmPeak peak)
    {
        var folder = Directory.CreateTempSubdirectory("extraction-gpu").FullName;
        try
        {
            foreach (var metric in MeasureIn(folder, device, scale))
            {
                yield return metric;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<GpuFigure> MeasureIn(string folder, torch.Device device, GpuScale scale)
    {
        var store = new FolderArtifactStore(Path.Combine(folder, "store"));
        var pictures = new byte[scale.Pictures][];
        Parallel.For(0, Math.Min(Distinct, pictures.Length), i => pictures[i] = MadeUpPhoto.Jpeg(i, Width, Height));
        for (var i = Distinct; i < pictures.Length; i++)
        {
            pictures[i] = pictures[i % Distinct];
        }

        var images = pictures.Length;
        var shard = Path.Combine(folder, "shard.tar");
        DatasetShard.Write(shard, pictures.Select((picture, i) => (new DatasetItem($"{i:D6}.jpg", ["a photo"]), picture)));
        var weights = Path.Combine(folder, "model.safetensors");
        using (var model = ClipModel.Initialize(scale.Tower, 1))
        {
            model.Save(weights);
        }

        var decoding = Decoding(shard, images, scale.Tower.ImageResolution);
        yield return new GpuFigure("extraction/decoding", decoding, "images/s");
        var writing = Writing(folder, scale.IsTiny ? 1 << 20 : 2L << 30);
        yield return new GpuFigure("extraction/writing", writing / 1e6, "MB/s");
        var bare = Bare(device, scale);
        yield return new GpuFigure("extraction/bare tower", bare, "images/s");

        using var stage = new EmbeddingExtractionStage(TimeProvider.System);
        var inputs = new Dictionary<string, ArtifactRef>
        {
            ["shard"] = store.PutFileAsync(shard, "shard.tar", DatasetShard.MediaType).GetAwaiter().GetResult(),
            ["model"] = store.PutFileAsync(weights, "model.safetensors", "application/x-safetensors").GetAwaiter().GetResult(),
        };
        var layer = scale.Tower.VisionLayers / 2;
        foreach (
            var (hooks, tokens, stored) in new[]
            {
                ("image-embedding", 1, 0L),
                ($"cls@{layer}", 1, 0L),
                ($"mlp@{layer}", 32, 2L * 32 * 4 * scale.Tower.VisionWidth),
                ($"mlp@{layer},residual@{layer},image-embedding", 32, 2L * 32 * 5 * scale.Tower.VisionWidth),
            }
        )
        {
            var parameters = stage.Normalize(
                new JsonObject
                {
                    ["hookPoints"] = new JsonArray([.. hooks.Split(',').Select(hook => (JsonNode)hook)]),
                    ["compute"] = "bfloat16",
                    ["dtype"] = "float16",
                    ["tokensPerImage"] = tokens,
                    ["device"] = device.ToString(),
                }
            );
            var seconds = Enumerable
                .Range(0, 1 + scale.Rounds)
                .Select(_ =>
                    ClipSae.Benchmarks.Measure.Seconds(() =>
                    {
                        var context = new StageContext
                        {
                            Stage = stage.Name,
                            Unit = "00000",
                            Parameters = parameters,
                            Inputs = inputs,
                            Artifacts = store,
                            Scratch = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName,
                        };
                        var result = stage.RunAsync(context, CancellationToken.None).GetAwaiter().GetResult();
                        // The next round stores them again.
                        foreach (var output in result.Outputs.Values)
                        {
                            File.Delete(store.PathOf(output.Digest));
                        }
                    })
                )
                .ToArray();
            yield return new GpuFigure($"extraction/{hooks} first shard", images / seconds[0], "images/s");
            var allowed = Math.Min(Math.Min(bare, decoding), stored == 0 ? double.MaxValue : writing / stored);
            yield return new GpuFigure(
                $"extraction/{hooks}",
                images / ClipSae.Benchmarks.Measure.Median(seconds[1..]),
                "images/s",
                allowed
            );
        }
    }

    private static double Decoding(string shard, int images, int resolution)
    {
        var threads = Environment.ProcessorCount;
        var prefetcher = new ImagePrefetcher<byte>(ImagePreparation.OpenAi(resolution), Preprocessor.Resize, threads, 4 * threads);
        async Task Drain()
        {
            await foreach (
                var image in prefetcher.Prepare(
                    DatasetShard.Read(shard).Select(entry => (entry.Item.Id, entry.ImageBytes)),
                    CancellationToken.None
                )
            )
            {
                prefetcher.Return(image.Pixels!);
            }
        }

        Drain().GetAwaiter().GetResult();
        return images / ClipSae.Benchmarks.Measure.Seconds(() => Drain().GetAwaiter().GetResult());
    }

    private static double Writing(string folder, long bytes)
    {
        var path = Path.Combine(folder, "written");
        var block = new byte[1 << 20];
        Array.Fill(block, (byte)0xA5);
        var seconds = ClipSae.Benchmarks.Measure.Seconds(() =>
        {
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0);
            for (long done = 0; done < bytes; done += block.Length)
            {
                file.Write(block);
            }

            file.Flush(flushToDisk: true);
        });
        File.Delete(path);
        return bytes / seconds;
    }

    private static double Bare(torch.Device device, GpuScale scale)
    {
        using var mode = torch.inference_mode();
        using var model = ClipModel.Initialize(scale.Tower, 1);
        model.to(device);
        using var plan = VisionPlan.Compile(model, torch.bfloat16);
        var (batch, side) = (scale.TowerBatches[^1], scale.Tower.ImageResolution);
        using var images = torch.zeros([batch, side, side, 3], dtype: torch.uint8, device: device);
        return batch / Timing.Seconds(device, scale.Rounds, 4, () => plan.EncodeImage(images).Dispose());
    }
}
