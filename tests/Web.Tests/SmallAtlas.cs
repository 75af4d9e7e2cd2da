using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Extraction;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Web.Tests;

/// <summary>
/// A run with an autoencoder of four features that each copy one column of activations four wide, and three pictures of five tokens: the
/// class token and two by two patches. Feature 1 fires with 3 on the lower left patch of <c>a.png</c> and with 1 on the upper left one of
/// <c>b.png</c>.
/// </summary>
internal static class SmallAtlas
{
    public const string Run = "atlas";
    public const string Unit = "mlp@0";
    private static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    public static async Task TellAsync(ServedRuns served, string? name = null)
    {
        Compute.Device("cpu");
        var folder = Directory.CreateDirectory(Path.Combine(served.Pipeline.Folder, "made")).FullName;
        using var sae = new SparseAutoencoder(new SaeVariant.TopK(2), eye(4), eye(4), zeros(4), zeros(4), 1);
        SaeFile.Save(sae, Path.Combine(folder, "sae"));
        var activations = zeros(15, 4);
        activations[3, 1] = 3;
        activations[6, 1] = 1;
        activations[12, 2] = 2;
        SafetensorsWriter.Write(
            Path.Combine(folder, "activations"),
            new Dictionary<string, Tensor>
            {
                ["activations"] = activations,
                ["image_index"] = arange(15).div(5, RoundingMode.floor).to(ScalarType.Int32),
                ["token_index"] = arange(15).remainder(5).to(ScalarType.Int32),
            },
            new Dictionary<string, string> { ["tokens_per_image"] = "5 of 5" }
        );
        var picture = PngEncoder.Encode(new RgbImage(2, 2, new byte[12]));
        DatasetShard.Write(
            Path.Combine(folder, "shard"),
            [
                .. new[] { ("a.png", "cat"), ("b.png", "dog"), ("c.png", "dog") }.Select(item =>
                    (new DatasetItem(item.Item1, ["a picture"], item.Item2), picture)
                ),
            ]
        );
        var statistics = new SaeStatistics(
            Unit,
            new AutoencoderMetrics(0.1, 0.9, 0.9, 2, 0.25, 0, 15, "topk", 4, 2, 1, 15, 1),
            [],
            [
                new FeatureStatistics(1, 0.2, 2, null, name, [new TopImage("a.png", 3), new TopImage("b.png", 1)]),
                new FeatureStatistics(2, 0.1, 2, null, null, [new TopImage("c.png", 2)]),
            ]
        );
        var store = served.Runtime.Artifacts;
        async Task<ArtifactRef> FileAsync(string file) =>
            await store.PutFileAsync(Path.Combine(folder, file), file, "application/octet-stream");
        var (shard, saved, rows) = (await FileAsync("shard"), await FileAsync("sae"), await FileAsync("activations"));
        var ids = await store.PutBytesAsync(
            ResultFormats.ShardImages.Write(new ShardImages(["a.png", "b.png", "c.png"], [])),
            "ids",
            ResultFormats.ShardImages.MediaType
        );
        var told = await store.PutBytesAsync(ResultFormats.Statistics.Write(statistics), "statistics", ResultFormats.Statistics.MediaType);
        var plan = new RunPlan([
            new StagePlan(ParameterSections.Extraction, [], [new UnitPlan("00000", [], [])], []),
            new StagePlan(ParameterSections.Sae, [], [new UnitPlan(Unit, [], [])], []),
        ]);
        await served.TellAsync(
            Run,
            new RunStarted(Run, plan, new RunSpec(new Dictionary<string, ArtifactRef> { ["dataset:shards/00000"] = shard }, []))
            {
                At = At,
            },
            Finished(ParameterSections.Extraction, "00000", new() { [Unit] = rows, ["ids"] = ids }, []),
            Finished(
                ParameterSections.Sae,
                Unit,
                new() { ["sae"] = saved, ["statistics"] = told },
                ResultFormats.AutoencoderMetrics.ToJson(statistics.Metrics)
            ),
            new RunCompleted { At = At }
        );
    }

    private static UnitFinished Finished(
        string stage,
        string unit,
        Dictionary<string, ArtifactRef> outputs,
        System.Text.Json.Nodes.JsonObject metrics
    ) => new(stage, unit, "w", new string('0', 64), outputs, metrics, new CacheOutcome(CacheKind.Miss, "new"), 1, At) { At = At };
}
