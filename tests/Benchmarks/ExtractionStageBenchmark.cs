using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Shards;
using ClipSae.Datasets.Sources;
using ClipSae.EmbeddingExtraction;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// The whole extraction stage (tar, decode, preprocess, model, safetensors) against the bare model on as many images, in bfloat16: what
/// decoding and writing add to the model's time. What a shard pays once whatever its length, the comparison with float32 on a few images,
/// is timed by itself and taken off; the model is loaded once for all shards, in the first round, which does not count. The first option is
/// a folder of photographs.
/// </summary>
internal sealed class ExtractionStageBenchmark : IBenchmark
{
    private const int Batch = 16;

    public string Verb => "extraction-stage";

    public string Summary =>
        "the extraction stage against the bare model: FOLDER-OF-JPEGS [shape vit-l-14 or vit-b-16] [images 64] [rounds 3] [threads 2]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        if (options.Count == 0 || !Directory.Exists(options[0]))
        {
            output.WriteLine("extraction-stage: skipped, it needs a folder of photographs");
            return;
        }

        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        var shape =
            options.Count > 1 && options[1] == "vit-b-16"
                ? new ClipArchitecture(512, 224, 12, 768, 16, 77, 600, 64, 1)
                : ClipArchitecture.VitL14 with
                {
                    TextLayers = 1,
                };
        Compute.UseThreads(Option(4, 2));
        var folder = Directory.CreateTempSubdirectory("extraction-stage").FullName;
        try
        {
            RunIn(folder, options[0], shape, Option(2, 64), Option(3, 3), output).GetAwaiter().GetResult();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunIn(string folder, string photos, ClipArchitecture shape, int count, int rounds, TextWriter output)
    {
        var store = new FolderArtifactStore(Path.Combine(folder, "store"));
        var source = Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName;
        foreach (
            var photo in Directory
                .EnumerateFiles(photos)
                .Where(p => Path.GetExtension(p).ToUpperInvariant() is ".JPG" or ".JPEG")
                .Order(StringComparer.Ordinal)
                .Take(count)
        )
        {
            File.Copy(photo, Path.Combine(source, Path.GetFileName(photo)));
            await File.WriteAllTextAsync(Path.Combine(source, Path.GetFileNameWithoutExtension(photo) + ".txt"), "a photo");
        }

        var dataset = await DatasetImporter.ImportAsync(source, new ImportOptions(), store);
        using var model = ClipModel.Initialize(shape, 1);
        var weights = Path.Combine(folder, "model.safetensors");
        model.Save(weights);
        using var stage = new EmbeddingExtractionStage(TimeProvider.System);
        var parameters = stage.Normalize(
            new JsonObject
            {
                ["hookPoints"] = new JsonArray("image-embedding"),
                ["compute"] = "bfloat16",
                ["batchSize"] = Batch,
            }
        );
        var inputs = new Dictionary<string, ArtifactRef>
        {
            ["shard"] = dataset.Shards[0],
            ["model"] = await store.PutFileAsync(weights, "model.safetensors", "application/x-safetensors"),
        };
        StageContext Context() =>
            new()
            {
                Stage = stage.Name,
                Unit = "00000",
                Parameters = parameters,
                Inputs = inputs,
                Artifacts = store,
                Scratch = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName,
            };
        var images = DatasetShard.Read(await store.FetchAsync(dataset.Shards[0])).Count();
        using var plan = VisionPlan.Compile(model, torch.bfloat16);
        using var batch = torch.randn(Batch, 3, 224, 224);
        using var mode = torch.inference_mode();
        var seconds = Measure.Interleaved(
            rounds,
            () => stage.RunAsync(Context(), CancellationToken.None).GetAwaiter().GetResult(),
            () =>
            {
                for (var done = 0; done < images; done += Batch)
                {
                    using var part = batch.narrow(0, 0, Math.Min(Batch, images - done));
                    plan.EncodeImage(part).Dispose();
                }
            },
            () =>
            {
                using var loaded = ClipModel.Load(weights);
                using var compiled = VisionPlan.Compile(loaded, torch.bfloat16);
            },
            () =>
            {
                using var some = batch.narrow(0, 0, EmbeddingExtractionStage.ImagesToCompare);
                model.EncodeImage(some).Dispose();
            }
        );
        var (whole, bare, loading, comparison) = (seconds[0], seconds[1], Measure.Median(seconds[2]), Measure.Median(seconds[3]));
        var table = new MarkdownTable($"{shape.VisionLayers} x {shape.VisionWidth}, {images} photographs, bfloat16", "seconds", "images/s");
        void Row(string name, double taken) =>
            table.Add(
                name,
                taken.ToString("F2", CultureInfo.InvariantCulture),
                (images / taken).ToString("F2", CultureInfo.InvariantCulture)
            );
        Row("stage, whole", Measure.Median(whole));
        Row("stage without the comparison", Measure.Median(whole) - comparison);
        Row("bare model", Measure.Median(bare));
        table.Print(output);
        var hidden = Measure.Median(whole.Zip(bare, (w, b) => b / (w - comparison)));
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"bare model over stage: {hidden:P1}; comparison {comparison:F2} s once a shard, loading {loading:F2} s once a worker"
            )
        );
    }
}
