using System.Text.Json.Nodes;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Extraction;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Benchmarks.Atlas;

/// <summary>
/// A run that is told by its events, with an autoencoder on the class token of many pictures: files and results as the stages write them,
/// contents made up.
/// </summary>
internal static class LargeAtlas
{
    public const string Run = "large";
    public const string Unit = "cls@11";

    /// <summary>Part of the name of every hundredth feature.</summary>
    public const string Name = "stripes";

    /// <summary>The class of every thousandth picture.</summary>
    public const string Class = "class 042";

    private const int Width = 768;
    private const int K = 32;
    private const int Classes = 1000;
    private const int ImagesOfShard = 1000;
    private const int TopImages = 8;
    private static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Writes the run into the runtime's store.</summary>
    /// <param name="folder">For files before they are in the store.</param>
    /// <param name="features">Latents of the autoencoder.</param>
    /// <param name="pictures">Pictures of the data set.</param>
    public static async Task WriteAsync(ClipSaeRuntime runtime, string folder, int features, int pictures)
    {
        Compute.Device("cpu");
        Directory.CreateDirectory(folder);
        random.manual_seed(0);
        var (inputs, extracted, units) = (new Dictionary<string, ArtifactRef>(), new List<RunEvent>(), new List<UnitPlan>());
        var picture = MadeUpPhoto.Jpeg(seed: 1, width: 96, height: 72);
        for (var first = 0; first < pictures; first += ImagesOfShard)
        {
            var unit = FormattableString.Invariant($"{first / ImagesOfShard:D5}");
            var ids = Enumerable.Range(first, Math.Min(ImagesOfShard, pictures - first)).ToArray();
            inputs[RunPlanner.ShardPrefix + unit] = await StoreAsync(runtime, Path.Combine(folder, unit + ".tar"), path =>
                DatasetShard.Write(path, ids.Select(id => (Item(id), picture)))
            );
            units.Add(new UnitPlan(unit, [], []));
            extracted.Add(
                Finished(
                    ParameterSections.Extraction,
                    unit,
                    [],
                    new()
                    {
                        [Unit] = await StoreAsync(runtime, Path.Combine(folder, unit + ".safetensors"), path =>
                            WriteRows(path, ids.Length)
                        ),
                        ["ids"] = await StoreAsync(runtime, ResultFormats.ShardImages, new ShardImages([.. ids.Select(Id)], [])),
                    }
                )
            );
        }

        var statistics = Statistics(features, pictures);
        var plan = new RunPlan([
            new StagePlan(ParameterSections.Extraction, [], units, []),
            new StagePlan(ParameterSections.Sae, [], [new UnitPlan(Unit, [], [])], []),
        ]);
        RunEvent[] events =
        [
            new RunStarted(Run, plan, new RunSpec(inputs, [])) { At = At },
            .. extracted,
            Finished(
                ParameterSections.Sae,
                Unit,
                ResultFormats.AutoencoderMetrics.ToJson(statistics.Metrics),
                new()
                {
                    ["sae"] = await StoreAsync(runtime, Path.Combine(folder, "sae.safetensors"), path => WriteAutoencoder(path, features)),
                    ["statistics"] = await StoreAsync(runtime, ResultFormats.Statistics, statistics),
                }
            ),
            new RunCompleted { At = At },
        ];
        if (!await runtime.Events.TryAppendAsync(Run, 0, events))
        {
            throw new InvalidOperationException($"there is a run {Run} already");
        }
    }

    private static string Id(int picture) => FormattableString.Invariant($"train/{picture % Classes:D3}/{picture:D8}.jpg");

    private static DatasetItem Item(int picture) =>
        new(
            Id(picture),
            [FormattableString.Invariant($"a photo of class {picture % Classes:D3}")],
            FormattableString.Invariant($"class {picture % Classes:D3}"),
            picture % 10 == 0 ? new JsonObject { ["word"] = FormattableString.Invariant($"word{picture / 10 % Classes}") } : null
        );

    private static void WriteRows(string path, int rows)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            path,
            new Dictionary<string, Tensor>
            {
                ["activations"] = randn(rows, Width),
                ["image_index"] = arange(rows).to(ScalarType.Int32),
                ["token_index"] = zeros(rows, ScalarType.Int32),
            },
            new Dictionary<string, string> { ["tokens_per_image"] = "1 of 50" }
        );
    }

    private static void WriteAutoencoder(string path, int features)
    {
        using var scope = NewDisposeScope();
        var rows = nn.functional.normalize(randn(features, Width));
        using var sae = new SparseAutoencoder(new SaeVariant.TopK(K), rows, rows.clone(), zeros(features), zeros(Width), 1);
        SaeFile.Save(sae, path);
    }

    private static SaeStatistics Statistics(int features, int pictures)
    {
        var numbers = new SeededRandom(0, "statistics");
        return new SaeStatistics(
            Unit,
            new AutoencoderMetrics(0.1, 0.9, 0.9, K, 0, 0, pictures / 10, "topk", features, K, 1, 1000, 1),
            [],
            [
                .. Enumerable
                    .Range(0, features)
                    .Select(feature => new FeatureStatistics(
                        feature,
                        numbers.Next(1, 100_000) / 1e6,
                        numbers.Next(1, 100_000) / 1e4,
                        numbers.Next(1000) / 1e3,
                        feature % 100 == 0 ? $"{Name}, lines, pattern" : "photo, picture, thing",
                        [
                            .. Enumerable
                                .Range(0, TopImages)
                                .Select(place => new TopImage(Id(numbers.Next(pictures)), Math.Round((TopImages - place) * 1.2345, 4))),
                        ]
                    )),
            ]
        );
    }

    private static UnitFinished Finished(string stage, string unit, JsonObject metrics, Dictionary<string, ArtifactRef> outputs) =>
        new(stage, unit, "benchmark", new string('0', 64), outputs, metrics, new CacheOutcome(CacheKind.Miss, "new"), 1, At) { At = At };

    private static async Task<ArtifactRef> StoreAsync(ClipSaeRuntime runtime, string path, Action<string> write)
    {
        write(path);
        var stored = await runtime.Artifacts.PutFileAsync(path, Path.GetFileName(path), "application/octet-stream");
        File.Delete(path);
        return stored;
    }

    private static Task<ArtifactRef> StoreAsync<T>(ClipSaeRuntime runtime, ResultFormat<T> format, T value)
        where T : class => runtime.Artifacts.PutBytesAsync(format.Write(value), format.Name.Split('/')[0] + ".json", format.MediaType);
}
