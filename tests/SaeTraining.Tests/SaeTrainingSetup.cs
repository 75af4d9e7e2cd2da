using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Extraction;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining.Tests;

/// <summary>A tiny CLIP, a labelled data set of two shards, and activations of mlp@0 as extraction would leave them.</summary>
internal sealed class SaeTrainingSetup : IDisposable
{
    public const int Images = 60;
    public const int Width = 256;
    private const int Tokens = 5;
    private static readonly ClipArchitecture Architecture = new(64, 32, 1, 64, 16, 16, 530, 64, 1);

    private readonly TemporaryFolder _folder = new();

    public SaeTrainingSetup() => Store = new FolderArtifactStore(_folder.File("store"));

    public FolderArtifactStore Store { get; }

    public SaeTrainingStage Stage { get; } = new();

    public static JsonObject Parameters =>
        new()
        {
            ["latents"] = 64,
            ["k"] = 4,
            ["steps"] = 30,
            ["batchSize"] = 64,
            ["topImages"] = 3,
            ["checkpointInterval"] = 10,
        };

    /// <summary>Inputs of a hook point of the text tower: the one caption of each image in place of the image.</summary>
    public async Task<Dictionary<string, ArtifactRef>> CaptionInputsAsync()
    {
        var inputs = await InputsAsync();
        foreach (var (name, embeddings) in inputs.Where(input => input.Key.StartsWith("embeddings/", StringComparison.Ordinal)).ToArray())
        {
            inputs["text-" + name] = embeddings;
            var activations = name.Replace("embeddings", "activations", StringComparison.Ordinal);
            var path = _folder.File("captions.safetensors");
            using (var file = SafetensorsFile.Open(await Store.FetchAsync(inputs[activations])))
            {
                var images = file.Read("image_index").clone();
                SafetensorsWriter.Write(
                    path,
                    new Dictionary<string, Tensor>
                    {
                        ["activations"] = file.Read("activations").clone(),
                        ["image_index"] = images,
                        ["caption_index"] = zeros_like(images),
                    }
                );
            }

            inputs[activations] = await Store.PutFileAsync(path, name, "application/x-safetensors");
        }

        return inputs;
    }

    public async Task<Dictionary<string, ArtifactRef>> InputsAsync(bool withImages = true)
    {
        using var generator = new Generator(1, CPU);
        var inputs = new Dictionary<string, ArtifactRef>();
        for (var shard = 0; shard < 2; shard++)
        {
            var (half, name) = (Images / 2, $"0000{shard}");
            var path = _folder.File("activations.safetensors");
            SafetensorsWriter.Write(
                path,
                new Dictionary<string, Tensor>
                {
                    ["activations"] = randn(half * Tokens, Width, generator: generator),
                    ["image_index"] = arange(half, int32).repeat_interleave(Tokens),
                }
            );
            inputs[$"activations/{name}"] = await Store.PutFileAsync(path, name, "application/x-safetensors");
            SafetensorsWriter.Write(
                path,
                new Dictionary<string, Tensor>
                {
                    ["activations"] = randn(half, 64, generator: generator),
                    ["image_index"] = arange(half, int32),
                }
            );
            inputs[$"embeddings/{name}"] = await Store.PutFileAsync(path, name, "application/x-safetensors");
            var images = new ShardImages([.. Enumerable.Range(shard * half, half).Select(Id)], []);
            inputs[$"ids/{name}"] = await Store.PutBytesAsync(
                ResultFormats.ShardImages.Write(images),
                name,
                ResultFormats.ShardImages.MediaType
            );
            if (withImages)
            {
                inputs[$"shards/{name}"] = await Store.PutBytesAsync(Shard(shard * half, half), name, DatasetShard.MediaType);
            }
        }

        if (withImages)
        {
            await AddModelAsync(inputs);
        }

        return inputs;
    }

    public StageContext Context(
        IReadOnlyDictionary<string, ArtifactRef> inputs,
        JsonObject? parameters = null,
        ICheckpoints? checkpoints = null,
        IProgress<StageProgress>? progress = null,
        string unit = "mlp@0"
    ) =>
        new()
        {
            Stage = Stage.Name,
            Unit = unit,
            Parameters = Stage.Normalize(parameters ?? Parameters),
            Inputs = inputs,
            Artifacts = Store,
            Checkpoints = checkpoints ?? NoCheckpoints.Instance,
            Progress = progress ?? new Progress<StageProgress>(),
            Scratch = NewFolder(),
        };

    public async Task<JsonObject> JsonAsync(ArtifactRef artifact) =>
        JsonNode.Parse(await File.ReadAllBytesAsync(await Store.FetchAsync(artifact)))!.AsObject();

    public string NewFolder() => Directory.CreateDirectory(_folder.File(Guid.NewGuid().ToString("N"))).FullName;

    public void Dispose() => _folder.Dispose();

    private static string Id(int image) => $"images/{image}.png";

    private async Task AddModelAsync(Dictionary<string, ArtifactRef> inputs)
    {
        var path = _folder.File("model.safetensors");
        using var model = ClipModel.Initialize(Architecture, 5);
        model.Save(path);
        inputs["model"] = await Store.PutFileAsync(path, "model.safetensors", "application/x-safetensors");
        inputs["tokenizer"] = await Store.PutBytesAsync(Encoding.UTF8.GetBytes("#version: 0.2\na t</w>\n"), "bpe.txt", "text/plain");
    }

    private static byte[] Shard(int first, int count)
    {
        using var content = new MemoryStream();
        using (var writer = new TarWriter(content, leaveOpen: true))
        {
            for (var i = first; i < first + count; i++)
            {
                var label = i % 2 == 0 ? "cat" : "dog";
                Add(
                    writer,
                    $"{i:D8}.json",
                    Encoding.UTF8.GetBytes($$"""{"id":"{{Id(i)}}","captions":["a photo of a {{label}}"],"label":"{{label}}"}""")
                );
                Add(writer, $"{i:D8}.png", PngEncoder.Encode(new RgbImage(40, 40, [.. Enumerable.Repeat((byte)(i * 4), 40 * 40 * 3)])));
            }
        }

        return content.ToArray();
    }

    private static void Add(TarWriter writer, string name, byte[] content) =>
        writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
}
