using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Settings;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Curation;
using ClipSae.Results.Tuning;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

/// <summary>
/// A tiny CLIP with random weights, an SAE of its first block's neurons, a labelled data set, attacks with their controls, and curation's
/// findings.
/// </summary>
internal sealed class TuningSetup : IDisposable
{
    public const int CleanImages = 48;
    public const int AttackImages = 24;
    public const int NaturalImages = 2;
    public const int Resolution = 16;
    private const int Latents = 32;
    private static readonly string[] Names = ["cat", "dog", "tree"];

    // Before what is made of it: static members are initialised in the order of the text.
    private static readonly IReadOnlyList<(string Left, string Right)> Merges = BpeLearner.Learn(
        Names.Select(name => $"a photo of a {name}"),
        60
    );

    private readonly TemporaryFolder _folder = new();

    public TuningSetup() => Store = new FolderArtifactStore(_folder.File("store"));

    public static IReadOnlyList<string> Classes => Names;

    public static ClipTokenizer Tokenizer { get; } = ClipTokenizer.FromMerges(Merges);

    /// <summary>Two blocks of 64, four patches, so that a forward takes a millisecond.</summary>
    public static ClipArchitecture Architecture { get; } = new(32, Resolution, 2, 64, 8, 16, Tokenizer.VocabularySize, 64, 1);

    /// <summary>The same tower with another activation, narrower heads and MLPs that are not 4 times as wide.</summary>
    public static ClipArchitecture Other { get; } =
        Architecture with
        {
            Activation = MlpActivation.TanhGelu,
            VisionHeads = 4,
            TextHeads = 2,
            VisionNeurons = 240,
            TextNeurons = 160,
        };

    /// <summary>Of the model that <see cref="InputsAsync"/> gives.</summary>
    public ClipArchitecture Sizes { get; init; } = Architecture;

    public FolderArtifactStore Store { get; }

    public FineTuningStage Stage { get; } = new();

    /// <summary>Rates high enough that six steps change decisions.</summary>
    public static JsonObject Parameters =>
        new()
        {
            ["steps"] = 6,
            ["cleanBatch"] = 8,
            ["attackBatch"] = 4,
            ["accumulation"] = 1,
            ["attackShare"] = 1,
            ["optimizer"] = new JsonObject { ["kind"] = "adamw", ["weightDecay"] = 0.1 },
            ["schedule"] = new JsonObject { ["kind"] = "cosine", ["warmUpSteps"] = 2 },
            ["learningRates"] = new JsonObject
            {
                ["vision"] = 2e-3,
                ["text"] = 2e-3,
                ["tokenEmbedding"] = 2e-3,
                ["positions"] = 2e-3,
                ["projections"] = 2e-3,
            },
            ["validationInterval"] = 1,
            ["checkpointInterval"] = 2,
            ["alphas"] = new JsonArray(),
        };

    public static IReadOnlyList<(int Layer, int Index)> SalientNeurons { get; } = [(0, 3), (0, 17), (0, 40), (1, 5), (1, 200)];

    /// <summary>As curation reports it: salient neurons in both blocks, features of mlp@0, two draws of random features.</summary>
    public static SalientFindings Salient { get; } = Findings();

    private static SalientFindings Findings()
    {
        var accuracy = new AttackAccuracy(1, 0, 1);
        return new SalientFindings(
            "mlp@0",
            "mlp@0",
            0.1,
            0.5,
            8,
            Names,
            [],
            [],
            [],
            [.. new[] { 1, 2, 3 }.Select(feature => new SalientFeature(feature, 1.5, 1.5, 1.5, 1))],
            [
                [4, 5, 6],
                [7, 8, 9],
            ],
            [.. SalientNeurons.Select(neuron => new SalientNeuron(neuron.Layer, neuron.Index, 1))],
            new NeuronAblation(accuracy, [accuracy])
        );
    }

    public static ClipModel Model(long seed = 5)
    {
        var model = ClipModel.Initialize(Architecture, seed);
        model.ToGeometric();
        return model;
    }

    public static SparseAutoencoder Autoencoder(ClipArchitecture? sizes = null)
    {
        var neurons = (sizes ?? Architecture).VisionNeurons;
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var rows = nn.functional.normalize(randn(Latents, neurons, generator: generator), dim: 1);
        return new SparseAutoencoder(new SaeVariant.TopK(4, Tied: true), rows, rows, full(Latents, 0.05f), zeros(neurons), 1);
    }

    public static AttackForward Forward(
        string arm,
        SparseAutoencoder? autoencoder = null,
        FineTuningOptions? options = null,
        long seed = 0,
        VisionPlan? basis = null
    ) => new(TuningArm.Parse(arm), Parts(arm, seed), autoencoder, options ?? new FineTuningOptions { Arm = arm }, basis);

    public static SalientParts Parts(string arm, long seed = 0) => SalientParts.Read(Salient, TuningArm.Parse(arm), Architecture, seed);

    /// <summary>Pictures of noise, the same for the same seed.</summary>
    public static Tensor Images(int count, ulong seed)
    {
        using var generator = new Generator(seed, CPU);
        return randn(new long[] { count, 3, Resolution, Resolution }, generator: generator);
    }

    /// <param name="attackCaption">Given to every attack in place of its own caption.</param>
    /// <param name="change">Done to each clean item.</param>
    /// <param name="damaged">The item whose image file is cut in half.</param>
    public TuningData Data(
        FineTuningOptions options,
        string? attackCaption = null,
        IReadOnlyList<string>? heldOutWords = null,
        IReadOnlyList<string>? heldOutFonts = null,
        Func<DatasetItem, DatasetItem>? change = null,
        string? damaged = null,
        IReadOnlyDictionary<string, IReadOnlyList<string>>? captions = null,
        bool families = false
    )
    {
        byte[] Image(DatasetItem item, byte[] image) => item.Id == damaged ? image[..(image.Length / 2)] : image;
        string Shard(int first) =>
            Write(
                Clean(first, CleanImages / 2)
                    .Select(entry => (change is null ? entry.Item : change(entry.Item), Image(entry.Item, entry.Image)))
            );
        return TuningData.Read(
            [Shard(0), Shard(CleanImages / 2)],
            Write(Attacks(0, attackCaption)),
            Write(Attacks(1)),
            Classes,
            new HeldOutPrint(heldOutWords ?? [], heldOutFonts ?? []),
            Clip.Preprocessing.ImagePreparation.OpenAi(Resolution),
            options,
            NullLogger.Instance,
            CancellationToken.None,
            captions,
            families ? Write(Families()) : null
        );
    }

    public async Task<Dictionary<string, ArtifactRef>> InputsAsync()
    {
        var model = _folder.File("model.safetensors");
        using (var plain = ClipModel.Initialize(Sizes, 5))
        {
            plain.Save(model);
        }

        var autoencoder = _folder.File("sae.safetensors");
        using (var sae = Autoencoder(Sizes))
        {
            SaeFile.Save(sae, autoencoder);
        }

        return new Dictionary<string, ArtifactRef>
        {
            ["model"] = await Store.PutFileAsync(model, "model.safetensors", "application/x-safetensors"),
            ["tokenizer"] = await Store.PutBytesAsync(Encoding.UTF8.GetBytes(BpeLearner.Format(Merges)), "bpe.txt", "text/plain"),
            ["shards/00000"] = await PutShardAsync(Clean(0, CleanImages / 2)),
            ["shards/00001"] = await PutShardAsync(Clean(CleanImages / 2, CleanImages / 2)),
            ["attacks"] = await PutShardAsync(Attacks(0)),
            ["controls"] = await PutShardAsync(Attacks(1)),
            ["salient"] = await PutAsync(Salient),
            ["sae/mlp@0"] = await Store.PutFileAsync(autoencoder, "sae", "application/x-safetensors"),
        };
    }

    /// <summary>The weights that <see cref="InputsAsync"/> gives, said to be of a model with other activation and heads.</summary>
    public async Task<ArtifactRef> RelabelledAsync(ClipArchitecture like)
    {
        var path = _folder.File("relabelled.safetensors");
        using (var model = ClipModel.Initialize(Sizes, 5))
        using (var relabelled = ClipModel.FromStateDict(model.StateDict(), like: like))
        {
            relabelled.Save(path);
        }

        return await Store.PutFileAsync(path, "relabelled.safetensors", "application/x-safetensors");
    }

    public Task<ArtifactRef> PutShardAsync(IEnumerable<(DatasetItem Item, byte[] Image)> items) =>
        Store.PutFileAsync(Write(items), "shard", DatasetShard.MediaType);

    public Task<ArtifactRef> PutAsync(SalientFindings salient) =>
        Store.PutBytesAsync(ResultFormats.Salient.Write(salient), "salient", ResultFormats.Salient.MediaType);

    public StageContext Context(
        IReadOnlyDictionary<string, ArtifactRef> inputs,
        JsonObject? parameters = null,
        string? checkpoints = null,
        IProgress<StageProgress>? progress = null
    )
    {
        var scratch = Directory.CreateDirectory(_folder.File(Guid.NewGuid().ToString("N"))).FullName;
        return new StageContext
        {
            Stage = Stage.Name,
            Parameters = Stage.Normalize(parameters ?? Parameters),
            Inputs = inputs,
            Artifacts = Store,
            Checkpoints = checkpoints is null
                ? NoCheckpoints.Instance
                : new CheckpointStore(new FolderObjectStore(_folder.Path)).Open(checkpoints, scratch),
            Progress = progress ?? new Progress<StageProgress>(),
            Scratch = scratch,
        };
    }

    public Task<TuningCurves> CurvesAsync(StageResult result) =>
        ResultFormats.Curves.ReadAsync(result.Outputs["curves"], Store.FetchAsync, CancellationToken.None);

    public void Dispose() => _folder.Dispose();

    /// <summary>Every sixth picture has its own name printed, every second of these in the face "Display".</summary>
    public static IEnumerable<(DatasetItem Item, byte[] Image)> Clean(int first, int count) =>
        Enumerable
            .Range(first, count)
            .Select(i =>
            {
                var label = Names[i % Names.Length];
                var attributes = i % 6 == 0 ? new JsonObject { ["word"] = label, ["font"] = i % 12 == 0 ? "Display" : "Sans" } : null;
                return (new DatasetItem($"images/{i}.png", [$"a photo of a {label}"], label, attributes), Noise("clean", i));
            });

    // Two attacks to a picture, the 20 without print in turn: every sixth of all has print. Then the features fire on two of those with
    // print.
    private static string SourceOf(int attack) =>
        attack < AttackImages
            ? $"images/{Enumerable.Range(0, CleanImages).Where(i => i % 6 != 0).ElementAt(attack / 2)}.png"
            : $"images/{6 * (attack - AttackImages)}.png";

    private static IEnumerable<(DatasetItem Item, byte[] Image)> Attacks(int version, string? caption = null) =>
        Enumerable
            .Range(0, AttackImages + NaturalImages)
            .Select(i =>
            {
                var label = Names[i % Names.Length];
                var attributes =
                    i < AttackImages
                        ? new JsonObject
                        {
                            ["kind"] = "attack",
                            ["source"] = SourceOf(i),
                            ["word"] = Names[(i + 1) % Names.Length],
                        }
                        : new JsonObject
                        {
                            ["kind"] = "natural",
                            ["source"] = SourceOf(i),
                            ["word"] = null,
                        };
                return (
                    new DatasetItem($"attack-{i}.png", [caption ?? $"a photo of a {label}"], label, attributes),
                    Noise($"attack {version}", i)
                );
            });

    /// <summary>Six pictures that no attack is printed on, in two families that are held out and one that is not.</summary>
    public static IEnumerable<(DatasetItem Item, byte[] Image)> Families() =>
        from family in new[] { "outline", "small", "plate" }
        from i in Enumerable.Range(0, CleanImages).Where(i => i % 6 != 0).TakeLast(6)
        let label = Names[i % Names.Length]
        let attributes = new JsonObject
        {
            ["kind"] = "family",
            ["family"] = family,
            ["heldOut"] = family != "plate",
            ["source"] = $"images/{i}.png",
            ["word"] = Names[(i + 1) % Names.Length],
        }
        select (new DatasetItem($"{family}-{i}.png", [$"a photo of a {label}"], label, attributes), Noise(family, i));

    private static byte[] Noise(string purpose, int index)
    {
        var random = new SeededRandom(1, purpose, index);
        var rgb = new byte[Resolution * Resolution * 3];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)random.Next(256);
        }

        return PngEncoder.Encode(new RgbImage(Resolution, Resolution, rgb));
    }

    private string Write(IEnumerable<(DatasetItem Item, byte[] Image)> items)
    {
        var path = _folder.File(Guid.NewGuid().ToString("N") + ".tar");
        DatasetShard.Write(path, items);
        return path;
    }
}
