using System.Text.Json.Nodes;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.World;
using ClipSae.Reporting.Data;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Conversion;
using ClipSae.Results.Curation;
using ClipSae.Results.Tuning;

namespace ClipSae.Reporting.Tests;

/// <summary>A run as it might have gone: figures are made up, pictures are those of the synthetic world.</summary>
internal static class SampleRun
{
    public static readonly DateTimeOffset Begin = new(2026, 11, 23, 21, 4, 11, TimeSpan.Zero);
    private static readonly string[] Arms =
    [
        "none",
        "amplify",
        "amplify-random",
        "penalise",
        "penalise-random",
        "suppress",
        "suppress-random",
    ];
    private static readonly Lazy<SyntheticWorld> World = new(() => new SyntheticWorld(new SyntheticWorldOptions(), FontCatalogue.Load()));

    public static ReportData Data() =>
        new()
        {
            Run = "demo-2026-11-23-a7k2",
            At = Begin.AddMinutes(6.5),
            Seed = 0,
            Parameters = new JsonObject
            {
                ["extraction"] = new JsonObject { ["hookPoints"] = new JsonArray("mlp@0", "mlp@1", "cls@3") },
                ["sae"] = new JsonObject { ["k"] = 32, ["latents"] = 2048 },
                ["tuning"] = new JsonObject { ["steps"] = 120, ["arms"] = new JsonArray([.. Arms.Select(arm => (JsonNode)arm)]) },
            },
            Inputs = new Dictionary<string, ArtifactRef>
            {
                ["model:weights"] = Artifact("model", 4_412_308),
                ["dataset:manifest"] = Artifact("tuning", 804_113),
                ["dataset:shards/00000"] = Artifact("shard", 21_000_113),
                ["model:tokenizer"] = Artifact("tokenizer", 4_133),
            },
            Results = SampleEvaluation.Results(Arms),
            Examples = [.. SampleEvaluation.Examples()],
            Salient = Salient(),
            Autoencoders = [.. new[] { "cls@3", "mlp@0", "mlp@1" }.Select(Autoencoder)],
            Attacks =
            [
                .. Pictures("attacked", 40)
                    .Select(picture => new AttackImage(
                        "data:image/png;base64," + Convert.ToBase64String(picture.Png.Span),
                        picture.Item.Label,
                        picture.Item.Attributes!["word"]!.GetValue<string>(),
                        "DejaVu Sans Bold"
                    )),
            ],
            Curated = new CuratedPrint(
                360,
                360,
                40,
                WorldVocabulary.Objects.ToHashSet(),
                new HashSet<string> { "DejaVu Sans Bold", "DejaVu Serif" }
            ),
            Tuning = [.. Arms.Select(arm => KeyValuePair.Create(arm + ".s0", new TuningMetrics(arm, 0, 120, 3900, 340)))],
            Curves = new SortedDictionary<string, TuningCurves>(
                Arms.Select((arm, index) => (arm + ".s0", Curves(arm, index))).ToDictionary(entry => entry.Item1, entry => entry.Item2),
                StringComparer.Ordinal
            ),
            Proofs = new SortedDictionary<string, ConversionProof>(
                Arms.ToDictionary(arm => arm + ".s0", _ => Proof()),
                StringComparer.Ordinal
            ),
            Dataset = new DatasetManifest(
                DatasetManifest.CurrentFormat,
                "demo world, tuning",
                4003,
                [.. Enumerable.Range(0, 3).Select(image => new ManifestItem($"images/{image}.png", 0, null))],
                new Dictionary<string, int>(),
                new Dictionary<string, int>(),
                [
                    new("unreadable-picture", "images/00017.png", "truncated"),
                    new("outside-folder", "../../x.png", "leads out of the folder"),
                ],
                [new("shards/00000", Digest("0"), 2), new("shards/00001", Digest("1"), 1)]
            ),
            Images = Pictures("words", 12)
                .Select(
                    (picture, index) =>
                        (Id: $"images/{index:D5}.png", Uri: "data:image/png;base64," + Convert.ToBase64String(picture.Png.Span))
                )
                .ToDictionary(entry => entry.Id, entry => entry.Uri),
            Units = Units(),
            Versions =
            [
                KeyValuePair.Create("ClipSae", "0.1.0"),
                KeyValuePair.Create(".NET", ".NET 10.0.1"),
                KeyValuePair.Create("System", "Debian 12, X64"),
            ],
        };

    public static IEnumerable<WorldImage> Pictures(string split, int count)
    {
        var part = World.Value.Splits.Single(candidate => candidate.Name == split);
        return Enumerable.Range(0, count).Select(index => World.Value.Draw(part, index));
    }

    private static SalientFindings Salient() =>
        new(
            "mlp@0",
            "mlp@0",
            0.15,
            0.31,
            256,
            ["anchor", "apple"],
            ["abacus", "zither"],
            ["Liberation Mono"],
            [
                .. new[] { "mlp@0", "mlp@0", "mlp@1", "cls@3" }.Select(
                    (hook, index) =>
                        new AblatedLayer(
                            hook,
                            hook,
                            index == 0 ? 0.15 : 0.05,
                            2048,
                            2005,
                            307 - 80 * index,
                            new(0.946, 0.154, 0.689),
                            new(0.936, 0.44 - 0.08 * index, 0.34 + 0.1 * index),
                            [new(0.944, 0.16, 0.68), new(0.945, 0.15, 0.65), new(0.94, 0.17, 0.70)],
                            0.28 - 0.08 * index,
                            index == 0
                        )
                ),
            ],
            [
                .. Enumerable
                    .Range(0, 40)
                    .Select(index => new SalientFeature(37 * index + 5, 6.1 - 0.11 * index, 2.31, 1.87, 0.991 - 0.002 * index)),
            ],
            [
                [3, 8],
                [4, 9],
            ],
            [.. Enumerable.Range(0, 24).Select(index => new SalientNeuron(index / 12, 11 * index + 3, 0.92 - 0.035 * index))],
            new NeuronAblation(new(0.93, 0.31, 0.51), [new(0.94, 0.16, 0.68), new(0.945, 0.15, 0.66)])
        );

    private static AutoencoderRecord Autoencoder(string hook)
    {
        var random = new SeededRandom(7, hook);
        var features = Enumerable
            .Range(0, 600)
            .Select(index => new FeatureStatistics(
                index,
                Math.Pow(10, -3.4 + 1.1 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5)),
                0.7,
                0.41,
                index % 37 == 5 ? "word, print" : null,
                [.. Enumerable.Range(0, 8).Select(image => new TopImage($"images/{(index + image) % 12:D5}.png", 2.5))]
            ));
        return new AutoencoderRecord(
            hook,
            new AutoencoderMetrics(0.126, 0.874, 0.941, 31.6, 0.021, 0.004, 20012, "topk", 2048, 32, 1408, 180127, 144179)
            {
                ZeroShot = 0.946,
                ZeroShotReconstructed = 0.931,
                ZeroShotRecovered = 0.984144,
                Monosemanticity = 0.413,
                MonosemanticityBaseline = 0.382,
            },
            [.. features]
        );
    }

    /// <summary>Figures of curation.</summary>
    public static CurationMetrics Curation(int candidates, int fooled)
    {
        var accuracy = new AttackAccuracy(0.946, 0.154, 0.689);
        return new CurationMetrics("mlp@0", "mlp@0", 307, 24, candidates, fooled, fooled, 360, 40, [], accuracy, accuracy, [accuracy]);
    }

    private static TuningCurves Curves(string arm, int index)
    {
        var random = new SeededRandom(3, arm);
        var steps = Enumerable
            .Range(1, 120)
            .Select(step => new StepMetrics(
                step,
                1.1 * Math.Exp(-step / 40.0) + 0.5 + 0.06 * random.NextDouble(),
                0.42 + 0.05 * random.NextDouble(),
                1.9 * Math.Exp(-step / 34.0) + 0.4 + 0.09 * random.NextDouble(),
                0.4 * Math.Exp(-step / 25.0),
                3.2 * Math.Exp(-step / 50.0) * (0.6 + random.NextDouble()),
                Math.Sin(Math.PI * step / 121)
            ));
        var validation = Enumerable
            .Range(0, 13)
            .Select(point => new TuningValidation(
                10 * point,
                0.946 - 0.001 * point,
                0.95 - 0.8 * Math.Exp(-point / (2.0 + 0.3 * index)),
                0.93 - 0.5 * Math.Exp(-point / (2.0 + 0.3 * index))
            ));
        var drift = Enumerable.Range(0, 13).Select(point => new WeightDrift(10 * point, 0.004 * point, 0.0011 * point));
        return new TuningCurves(
            new TrainingHistory([.. steps], [.. validation], [.. drift], [], [], 1, null, new TuningValidation(110, 0.94, 0.93, 0.925)),
            arm,
            0
        );
    }

    private static ConversionProof Proof() =>
        new(
            4,
            4,
            0,
            1e-5,
            new(1e-7, 3.1e-7, 0.99999994, 0, 0),
            new(1e-7, 2.2e-7, 1, 0, 0),
            null,
            true,
            "float32",
            10,
            Digest("tuned"),
            "sha256:0f3a6c9be0114f6f8a8d6f0a64b7f3f1cd9da1d3a9d1a3f9a6a4a2c3e9ab12cd",
            new Dictionary<string, ForwardProof>()
        );

    private static UnitRecord[] Units()
    {
        (string Stage, string Unit, string Cache, double Start, double Seconds)[] units =
        [
            ("embedding-extraction", "00000", "hit", 0.1, 0.02),
            ("embedding-extraction", "00001", "miss", 0.1, 21.4),
            ("sae-training", "cls@3", "miss", 22, 31),
            ("sae-training", "mlp@0", "miss", 22, 58),
            ("sae-training", "mlp@1", "miss", 53, 44),
            ("attack-curation", "all", "miss", 98, 47),
            .. Arms.Select((arm, index) => ("fine-tuning", arm + ".s0", "miss", 146.0 + 21 * index, 20.5)),
            .. Arms.Select((arm, index) => ("weight-conversion", arm + ".s0", "miss", 294.0 + 0.4 * index, 0.35)),
            ("zero-shot-evaluation", "all", "verified", 298, 33),
        ];
        return
        [
            .. units.Select(unit => new UnitRecord(
                unit.Stage,
                unit.Unit,
                unit.Cache,
                unit.Cache == "hit"
                    ? "computed by demo-2026-11-23-k9x1"
                    : "no result with this key: parameter sae.k is 32, was 16 in demo-2026-11-23-k9x1",
                Begin.AddSeconds(unit.Start),
                unit.Seconds,
                Digest(unit.Stage + unit.Unit),
                new Dictionary<string, ArtifactRef> { ["model"] = Artifact(unit.Unit, 4_400_000) },
                []
            )),
        ];
    }

    private static ArtifactRef Artifact(string name, long length) => new(Digest(name), length, "application/octet-stream", name);

    private static string Digest(string text) => Artifacts.Digest.OfText(text);
}
