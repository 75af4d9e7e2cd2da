using System.Text.Json.Nodes;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Evaluation;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Web.Tests;

/// <summary>
/// A run of the demo's base with an autoencoder of 256 features that copy the 128 columns of <c>residual@1</c> and their negatives, four
/// attacks on grey pictures, and a "tuned" model that is the base without the MLP of block 0.
/// </summary>
internal static class TunedAtlas
{
    public const string Run = "changed";
    public const string Unit = "residual@1";
    public const string Path = $"/runs/{Run}/atlas/residual%401";
    private const int Width = 128;
    private static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    public static string BaseFile { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors");

    public static async Task TellAsync(ServedRuns served)
    {
        Compute.Device("cpu");
        var folder = Directory.CreateDirectory(System.IO.Path.Combine(served.Pipeline.Folder, "tuned")).FullName;
        var store = served.Runtime.Artifacts;
        async Task<ArtifactRef> FileAsync(string name, string? path = null) =>
            await store.PutFileAsync(path ?? System.IO.Path.Combine(folder, name), name, MediaTypes.Safetensors);
        WriteAutoencoder(System.IO.Path.Combine(folder, "sae"));
        WriteTuned(System.IO.Path.Combine(folder, "model"));
        WritePictures(System.IO.Path.Combine(folder, "shard"), System.IO.Path.Combine(folder, "attacks"));
        var features = Enumerable
            .Range(0, 2 * Width)
            .Select(feature => new FeatureStatistics(feature, 0.01 * (1 + (feature % 50)), 1, null, null, [new TopImage("p0.png", 1)]))
            .ToArray();
        var statistics = new SaeStatistics(
            Unit,
            new AutoencoderMetrics(0.1, 0.9, 0.9, 8, 0, 0, 68, "topk", 2 * Width, 8, 1, 68, 1),
            [],
            features
        );
        var told = await store.PutBytesAsync(ResultFormats.Statistics.Write(statistics), "statistics", ResultFormats.Statistics.MediaType);
        var inputs = new Dictionary<string, ArtifactRef>
        {
            ["model:weights"] = await FileAsync("model.safetensors", BaseFile),
            ["model:tokenizer"] = await FileAsync("bpe.txt.gz", System.IO.Path.Combine(AppContext.BaseDirectory, "Demo", "bpe.txt.gz")),
            ["dataset:shards/00000"] = await FileAsync("shard"),
        };
        string[] stages = [ParameterSections.Sae, ParameterSections.Curation, ParameterSections.Conversion, ParameterSections.Evaluation];
        var metrics = new EvaluationMetrics(
            new ModelMetrics { Name = "base", HeldOut = new HeldOutMetrics() },
            [],
            new ModelMetrics { Name = "arm.s0", HeldOut = new HeldOutMetrics() }
        );
        await served.TellAsync(
            Run,
            new RunStarted(
                Run,
                new RunPlan([
                    .. stages.Select(
                        (stage, place) =>
                            new StagePlan(
                                stage,
                                [],
                                [
                                    new UnitPlan(
                                        place == 0 ? Unit
                                            : place == 2 ? "arm.s0"
                                            : "all",
                                        [],
                                        []
                                    ),
                                ],
                                []
                            )
                    ),
                ]),
                new RunSpec(inputs, [])
            )
            {
                At = At,
            },
            Finished(
                ParameterSections.Sae,
                Unit,
                new() { ["sae"] = await FileAsync("sae"), ["statistics"] = told },
                ResultFormats.AutoencoderMetrics.ToJson(statistics.Metrics)
            ),
            Finished(
                ParameterSections.Curation,
                "all",
                new() { ["attacks"] = await FileAsync("attacks") },
                ResultFormats.CurationMetrics.ToJson(
                    ResultFormats.CurationMetrics.Read(
                        await File.ReadAllBytesAsync(System.IO.Path.Combine(AppContext.BaseDirectory, "curation-figures.json")),
                        "figures"
                    )
                )
            ),
            Finished(ParameterSections.Conversion, "arm.s0", new() { ["model"] = await FileAsync("model") }, []),
            Finished(ParameterSections.Evaluation, "all", [], ResultFormats.EvaluationMetrics.ToJson(metrics)),
            new RunCompleted { At = At }
        );
    }

    private static void WriteAutoencoder(string path)
    {
        using var scope = NewDisposeScope();
        var rows = cat([eye(Width), -eye(Width)]);
        using var sae = new SparseAutoencoder(new SaeVariant.TopK(8), rows, rows, zeros(2 * Width), zeros(Width), 1);
        SaeFile.Save(sae, path);
    }

    private static void WriteTuned(string path)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(BaseFile);
        var weights = file.Entries.Keys.ToDictionary(name => name, file.Read, StringComparer.Ordinal);
        foreach (var name in new[] { "weight", "bias" })
        {
            weights[$"visual.transformer.resblocks.0.mlp.c_proj.{name}"] *= 0;
        }

        SafetensorsWriter.Write(path, weights, file.Metadata);
    }

    private static void WritePictures(string shard, string attacks)
    {
        const int Side = 64;
        using var fonts = FontCatalogue.Load();
        var printer = Printer.Of(fonts, [(PrintFamily.Named("corner"), 1)], Clip.Preprocessing.ImagePreparation.OpenAi(Side).Target);
        var (plain, attacked) = (new List<(DatasetItem, byte[])>(), new List<(DatasetItem, byte[])>());
        foreach (var (place, word) in new[] { "star", "boat", "dog", "car" }.Index())
        {
            var picture = new RgbImage(Side, Side, [.. Enumerable.Repeat((byte)(90 + (30 * place)), 3 * Side * Side)]);
            plain.Add((new DatasetItem($"p{place}.png", ["a picture"], "cat"), PngEncoder.Encode(picture)));
            var printed = printer.Paint(picture, printer.Plan(word, picture, new SeededRandom(0, "test", place)).Shown);
            attacked.Add(
                (
                    new DatasetItem(
                        $"a{place}.png",
                        ["a picture"],
                        "cat",
                        new JsonObject
                        {
                            ["kind"] = "attack",
                            ["source"] = $"p{place}.png",
                            ["word"] = word,
                        }
                    ),
                    PngEncoder.Encode(printed)
                )
            );
        }

        DatasetShard.Write(shard, plain);
        DatasetShard.Write(attacks, attacked);
    }

    private static UnitFinished Finished(string stage, string unit, Dictionary<string, ArtifactRef> outputs, JsonObject metrics) =>
        new(stage, unit, "w", new string('0', 64), outputs, metrics, new CacheOutcome(CacheKind.Miss, "new"), 1, At) { At = At };
}
