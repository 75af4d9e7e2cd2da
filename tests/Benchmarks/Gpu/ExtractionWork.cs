using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Datasets;
using ClipSae.EmbeddingExtraction;
using ClipSae.Pipeline;
using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>The whole extraction stage (tar, decode, upload, model, files, digests) in bfloat16 on JPEG pictures, against what the tower and the decoding threads give.</summary>
internal sealed class ExtractionWork : IGpuWork
{
    private const int Width = 500;
    private const int Height = 400;

    public string Name => "extraction";

    public IEnumerable<GpuFigure> Measure(torch.Device device, GpuScale scale, GemmPeak peak)
    {
        var folder = Directory.CreateTempSubdirectory("gpu-extraction").FullName;
        try
        {
            foreach (var figure in MeasureIn(folder, device, scale))
            {
                yield return figure;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<GpuFigure> MeasureIn(string folder, torch.Device device, GpuScale scale)
    {
        var pictures = new byte[scale.Pictures][];
        Parallel.For(0, pictures.Length, i => pictures[i] = MadeUpPhoto.Jpeg(i, Width, Height));
        var shard = Path.Combine(folder, "shard.tar");
        DatasetShard.Write(shard, pictures.Select((picture, i) => (new DatasetItem($"{i:D6}.jpg", ["a photo"]), picture)));
        var weights = Path.Combine(folder, "model.safetensors");
        double tower;
        using (var model = ClipModel.Initialize(scale.Tower, 1))
        {
            model.Save(weights);
            tower = TowerRate(model, device, scale);
        }

        var decoding = DecodingRate(pictures, scale.Tower.ImageResolution);
        yield return new GpuFigure("extraction/decoding alone", decoding, "images/s");
        var store = new FolderArtifactStore(Path.Combine(folder, "store"));
        var inputs = new Dictionary<string, ArtifactRef>
        {
            ["shard"] = store.PutFileAsync(shard, "shard.tar", "application/x-tar").GetAwaiter().GetResult(),
            ["model"] = store.PutFileAsync(weights, "model.safetensors", "application/x-safetensors").GetAwaiter().GetResult(),
        };
        using var stage = new EmbeddingExtractionStage(TimeProvider.System);
        foreach (var point in new[] { "image-embedding", FormattableString.Invariant($"mlp@{Math.Max((scale.Tower.VisionLayers / 2) - 1, 0)}") })
        {
            var parameters = stage.Normalize(new JsonObject
            {
                ["hookPoints"] = new JsonArray(point),
                ["compute"] = "bfloat16",
                ["store"] = "float16",
                ["batch"] = scale.TowerBatches[^1],
                ["device"] = device.ToString(),
                ["decodeThreads"] = Environment.ProcessorCount,
            });
            double Run() => Benchmarks.Measure.Seconds(() => stage.RunAsync(
                new StageContext
                {
                    Stage = stage.Name,
                    Parameters = parameters,
                    Inputs = inputs,
                    Artifacts = store,
                    Scratch = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName,
                },
                CancellationToken.None).GetAwaiter().GetResult());
            yield return new GpuFigure($"extraction/{point}, first shard", pictures.Length / Run(), "images/s");
            yield return new GpuFigure($"extraction/{point}", pictures.Length / Run(), "images/s", Math.Min(tower, decoding));
        }
    }

    private static double TowerRate(ClipModel model, torch.Device device, GpuScale scale)
    {
        using var mode = torch.inference_mode();
        model.to(device);
        using var plan = VisionPlan.Compile(model, torch.bfloat16);
        var size = scale.TowerBatches[^1];
        using var images = torch.randn([size, 3, scale.Tower.ImageResolution, scale.Tower.ImageResolution], dtype: torch.bfloat16, device: device);
        return size / Timing.Seconds(device, scale.Rounds, 2, () => plan.EncodeImage(images).Dispose());
    }

    private static double DecodingRate(byte[][] pictures, int resolution)
    {
        var some = pictures.Take(1000).ToArray();
        return some.Length / Benchmarks.Measure.Seconds(() => Parallel.ForEach(
            some,
            () => (Decoder: new RegionDecoder(), Pixels: new byte[3 * resolution * resolution]),
            (picture, _, own) =>
            {
                if (!own.Decoder.TryDecode(picture, (width, height) => Needed(width, height, resolution), out var decoded, out var problem))
                {
                    throw new InvalidOperationException(problem);
                }

                Preprocessor.Resize(
                    decoded.Pixels, decoded.Mode, new PixelWindow(decoded.Region.Left, decoded.Region.Top, decoded.Region.Width, decoded.Region.Height), decoded.Width, decoded.Height, resolution, own.Pixels);
                return own;
            },
            _ => { }));
    }

    private static ImageRegion Needed(int width, int height, int resolution)
    {
        var window = Preprocessor.Needed(width, height, resolution);
        return new ImageRegion(window.Left, window.Top, window.Width, window.Height);
    }
}
