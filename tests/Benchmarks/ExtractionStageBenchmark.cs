using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Datasets;
using ClipSae.EmbeddingExtraction;
using ClipSae.Pipeline;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// The whole extraction stage (tar, decode, preprocess, model, safetensors) against the bare model on as many images, with a
/// ViT-B/16 shape in bfloat16: what decoding and writing add to the model's time. The first option is a folder of photographs.
/// </summary>
internal sealed class ExtractionStageBenchmark : IBenchmark
{
    private const int Batch = 16;

    public string Verb => "extraction-stage";

    public string Summary => "the extraction stage against the bare model: FOLDER-OF-JPEGS [threads 2]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        if (options.Count == 0 || !Directory.Exists(options[0]))
        {
            output.WriteLine("extraction-stage: skipped, it needs a folder of photographs");
            return;
        }

        Compute.UseThreads(options.Count > 1 ? int.Parse(options[1], CultureInfo.InvariantCulture) : 2);
        var folder = Directory.CreateTempSubdirectory("extraction-stage").FullName;
        try
        {
            RunIn(folder, options[0], output).GetAwaiter().GetResult();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunIn(string folder, string photos, TextWriter output)
    {
        var store = new FolderArtifactStore(Path.Combine(folder, "store"));
        var source = Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName;
        foreach (var photo in Directory.EnumerateFiles(photos)
            .Where(p => Path.GetExtension(p).ToUpperInvariant() is ".JPG" or ".JPEG")
            .Order(StringComparer.Ordinal))
        {
            File.Copy(photo, Path.Combine(source, Path.GetFileName(photo)));
            await File.WriteAllTextAsync(Path.Combine(source, Path.GetFileNameWithoutExtension(photo) + ".txt"), "a photo");
        }

        var dataset = await DatasetImporter.ImportAsync(source, new ImportOptions(), store);
        using var model = ClipModel.Initialize(new ClipArchitecture(512, 224, 12, 768, 16, 77, 600, 64, 1), 1);
        var weights = Path.Combine(folder, "model.safetensors");
        model.Save(weights);
        var stage = new EmbeddingExtractionStage();
        var context = new StageContext
        {
            Stage = stage.Name,
            Unit = "00000",
            Parameters = stage.Normalize(new JsonObject { ["hookPoints"] = new JsonArray("image-embedding"), ["compute"] = "bfloat16", ["batch"] = Batch }),
            Inputs = new Dictionary<string, ArtifactRef>
            {
                ["shard"] = dataset.Shards[0],
                ["model"] = await store.PutFileAsync(weights, "model.safetensors", "application/x-safetensors"),
            },
            Artifacts = store,
            Scratch = Directory.CreateDirectory(Path.Combine(folder, "scratch")).FullName,
        };
        var images = DatasetShard.Read(await store.FetchAsync(dataset.Shards[0])).Count();
        using var plan = VisionPlan.Compile(model, torch.bfloat16);
        using var batch = torch.randn(Batch, 3, 224, 224);
        var whole = Measure.Seconds(() => stage.RunAsync(context, CancellationToken.None).GetAwaiter().GetResult());
        plan.EncodeImage(batch).Dispose();
        var bare = Measure.Seconds(() =>
        {
            for (var done = 0; done < images; done += Batch)
            {
                plan.EncodeImage(batch).Dispose();
            }
        });
        var loading = Measure.Seconds(() =>
        {
            using var loaded = ClipModel.Load(weights);
            using var compiled = VisionPlan.Compile(loaded, torch.bfloat16);
        });
        var table = new MarkdownTable("ViT-B/16, bfloat16", "seconds", "images/s");
        void Row(string name, double seconds) =>
            table.Add(name, seconds.ToString("F2", CultureInfo.InvariantCulture), (images / seconds).ToString("F1", CultureInfo.InvariantCulture));
        Row("stage, whole", whole);
        Row("stage without loading the model", whole - loading);
        Row("bare model", bare);
        table.Print(output);
    }
}
