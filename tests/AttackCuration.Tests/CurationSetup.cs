using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Stages;
using ClipSae.Sae.Formats;
using ClipSae.TestKit.Files;

namespace ClipSae.AttackCuration.Tests;

/// <summary>A tiny CLIP with random weights, SAEs of two hook points, and a labelled data set in which some pictures carry print.</summary>
internal sealed class CurationSetup : IDisposable
{
    public const int Images = 40;
    private const int Side = 40;

    private readonly TemporaryFolder _folder = new();

    public CurationSetup() => Store = new FolderArtifactStore(_folder.File("store"));

    public FolderArtifactStore Store { get; }

    public AttackCurationStage Stage { get; } = new();

    public static JsonObject Parameters =>
        new()
        {
            ["heldOutWords"] = new JsonArray("car"),
            ["pairs"] = 16,
            ["salientShares"] = new JsonArray(0.2),
            ["randomDraws"] = 2,
            ["neuronsPerLayer"] = 6,
            ["attacks"] = 12,
            ["naturalImages"] = 4,
            ["batchSize"] = 16,
            ["families"] = new JsonArray(),
            ["minFooled"] = 0,
        };

    /// <summary>Every fifth picture has a word printed, every tenth the held-out one.</summary>
    public static IEnumerable<(DatasetItem Item, byte[] Image)> Pictures(int count = Images, bool labels = true, int classes = 4) =>
        Enumerable
            .Range(0, count)
            .Select(i =>
            {
                var label = RandomClip.Classes[i % classes];
                var attributes =
                    i % 10 == 0 ? new JsonObject { ["word"] = "car" }
                    : i % 5 == 0 ? new JsonObject { ["word"] = "dog" }
                    : null;
                return (
                    new DatasetItem($"images/{i}.png", [$"a photo of a {label}", $"one {label}"], labels ? label : null, attributes),
                    Noise(i)
                );
            });

    public static byte[] Noise(int index)
    {
        var random = new SeededRandom(1, "picture", index);
        var tint = new[] { random.Next(200), random.Next(200), random.Next(200) };
        var rgb = new byte[Side * Side * 3];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)(tint[i % 3] + random.Next(56));
        }

        return PngEncoder.Encode(new RgbImage(Side, Side, rgb));
    }

    public async Task<Dictionary<string, ArtifactRef>> InputsAsync()
    {
        using var model = RandomClip.Create();
        var inputs = new Dictionary<string, ArtifactRef>
        {
            ["model"] = await PutAsync(path => model.Save(path)),
            ["tokenizer"] = await Store.PutBytesAsync(Encoding.UTF8.GetBytes(RandomClip.Vocabulary), "bpe.txt", "text/plain"),
            ["shards/00000"] = await PutShardAsync(Pictures().Take(Images / 2)),
            ["shards/00001"] = await PutShardAsync(Pictures().Skip(Images / 2)),
        };
        foreach (var point in new HookPoint[] { new HookPoint.Mlp(0), new HookPoint.Residual(1) })
        {
            var at = RandomClip.Autoencoder(model, point);
            inputs[$"sae/{point}"] = await PutAsync(path => SaeFile.Save(at.Sae, path));
            at.Sae.Dispose();
        }

        return inputs;
    }

    public Task<ArtifactRef> PutShardAsync(IEnumerable<(DatasetItem Item, byte[] Image)> pictures) =>
        PutAsync(path => DatasetShard.Write(path, pictures));

    public StageContext Context(
        IReadOnlyDictionary<string, ArtifactRef> inputs,
        JsonObject? parameters = null,
        IProgress<StageProgress>? progress = null
    ) =>
        new()
        {
            Stage = Stage.Name,
            Parameters = Stage.Normalize(parameters ?? Parameters),
            Inputs = inputs,
            Artifacts = Store,
            Progress = progress ?? new Progress<StageProgress>(),
            Scratch = Directory.CreateDirectory(NewPath()).FullName,
        };

    public async Task<byte[]> BytesAsync(ArtifactRef artifact) => await File.ReadAllBytesAsync(await Store.FetchAsync(artifact));

    public async Task<JsonObject[]> LinesAsync(ArtifactRef artifact) =>
        [
            .. Encoding
                .UTF8.GetString(await BytesAsync(artifact))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonNode.Parse(line)!.AsObject()),
        ];

    public async Task<List<(DatasetItem Item, byte[] Image)>> ItemsAsync(ArtifactRef shard) =>
        [.. DatasetShard.Read(await Store.FetchAsync(shard)).Select(entry => (entry.Item, entry.ImageBytes.ToArray()))];

    public async Task<List<(string Name, byte[] Content)>> EntriesAsync(ArtifactRef tar)
    {
        var entries = new List<(string, byte[])>();
        using var reader = new TarReader(File.OpenRead(await Store.FetchAsync(tar)));
        while (reader.GetNextEntry() is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream!.CopyTo(content);
            entries.Add((entry.Name, content.ToArray()));
        }

        return entries;
    }

    public void Dispose() => _folder.Dispose();

    private string NewPath() => _folder.File(Guid.NewGuid().ToString("N"));

    private Task<ArtifactRef> PutAsync(Action<string> write)
    {
        var path = NewPath();
        write(path);
        return Store.PutFileAsync(path, "file", "application/octet-stream");
    }
}
