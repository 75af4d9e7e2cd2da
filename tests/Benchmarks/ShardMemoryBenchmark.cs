using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Sources;
using ClipSae.EmbeddingExtraction;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;

namespace ClipSae.Benchmarks;

/// <summary>
/// Memory while one worker extracts 600 shards, one after another: resident set, in which a tensor that is never freed shows, and managed
/// heap.
/// </summary>
internal sealed class ShardMemoryBenchmark : IBenchmark
{
    private const int Shards = 600;
    private const int ImagesPerShard = 64;

    public string Verb => "shard-memory";

    public string Summary => "memory of one worker over 600 shards [threads 2]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        Compute.UseThreads(options.Count > 0 ? int.Parse(options[0], CultureInfo.InvariantCulture) : 2);
        var folder = Directory.CreateTempSubdirectory("shard-memory").FullName;
        try
        {
            RunIn(folder, output).GetAwaiter().GetResult();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunIn(string folder, TextWriter output)
    {
        var store = new FolderArtifactStore(Path.Combine(folder, "store"));
        var source = Directory.CreateDirectory(Path.Combine(folder, "pictures")).FullName;
        for (var i = 0; i < ImagesPerShard; i++)
        {
            await File.WriteAllBytesAsync(Path.Combine(source, $"{i:D4}.png"), Picture(i));
            await File.WriteAllTextAsync(Path.Combine(source, $"{i:D4}.txt"), "a picture");
        }

        var dataset = await DatasetImporter.ImportAsync(source, new ImportOptions(), store);
        using (var model = ClipModel.Initialize(new ClipArchitecture(64, 64, 4, 128, 16, 16, 600, 128, 2), 1))
        {
            model.Save(Path.Combine(folder, "model.safetensors"));
        }

        var weights = await store.PutFileAsync(Path.Combine(folder, "model.safetensors"), "model.safetensors", "application/x-safetensors");
        using var stage = new EmbeddingExtractionStage(TimeProvider.System);
        var parameters = stage.Normalize(
            new JsonObject { ["hookPoints"] = new JsonArray("image-embedding", "mlp@0"), ["tokensPerImage"] = "all" }
        );
        var table = new MarkdownTable("after shards", "resident MiB", "managed MiB");
        for (var shard = 0; shard <= Shards; shard++)
        {
            if (shard % 100 == 0)
            {
                var managed = GC.GetTotalMemory(forceFullCollection: true);
                table.Add(Text(shard), Text(Compute.ResidentBytes >> 20), Text(managed >> 20));
            }

            var scratch = Directory.CreateDirectory(Path.Combine(folder, "scratch")).FullName;
            await stage.RunAsync(
                new StageContext
                {
                    Stage = stage.Name,
                    Unit = "00000",
                    Parameters = parameters,
                    Inputs = new Dictionary<string, ArtifactRef> { ["shard"] = dataset.Shards[0], ["model"] = weights },
                    Artifacts = store,
                    Scratch = scratch,
                },
                CancellationToken.None
            );
            Directory.Delete(scratch, recursive: true);
        }

        table.Print(output);
    }

    private static byte[] Picture(int index) =>
        PngEncoder.Encode(new RgbImage(96, 96, [.. Enumerable.Range(0, 96 * 96 * 3).Select(i => (byte)(i * (index + 1)))]));

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
