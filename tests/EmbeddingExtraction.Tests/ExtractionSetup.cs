using System.Formats.Tar;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Extraction;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction.Tests;

/// <summary>A small model, a shard that can hold damaged pictures, and a folder for what comes out.</summary>
internal sealed class ExtractionSetup : IDisposable
{
    /// <summary>Two layers, 16 patches and a class token.</summary>
    public static readonly ClipArchitecture Architecture = new(64, 32, 2, 128, 8, 16, 600, 64, 1);

    /// <summary>The same with another activation, narrower heads and MLPs that are not 4 times as wide.</summary>
    public static readonly ClipArchitecture Other = Architecture with
    {
        Activation = MlpActivation.Gelu,
        VisionHeads = 8,
        VisionNeurons = 320,
    };

    /// <summary>A CLIP's vocabulary with one merge.</summary>
    public static readonly byte[] Merges = Encoding.UTF8.GetBytes("#version: 0.2\np i</w>\n");

    private readonly TemporaryFolder _folder = new();

    public ExtractionSetup() => Store = new FolderArtifactStore(_folder.File("store"));

    public FolderArtifactStore Store { get; }

    public EmbeddingExtractionStage Stage { get; } = new(TimeProvider.System);

    /// <summary>Of the model that runs take.</summary>
    public ClipArchitecture Sizes { get; init; } = Architecture;

    /// <summary>The vocabulary that runs take.</summary>
    public byte[] Vocabulary { get; init; } = Merges;

    /// <summary>The captions of a picture.</summary>
    public Func<int, string[]> Captions { get; init; } = index => [$"picture {index}"];

    /// <summary>Seed of the weights that the next run takes.</summary>
    public int ModelSeed { get; set; } = 5;

    public static byte[] Picture(int index)
    {
        var rgb = new byte[48 * 40 * 3];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)((i * (index + 3)) >> 2);
        }

        return PngEncoder.Encode(new RgbImage(48, 40, rgb));
    }

    public Task<StageResult> Run(JsonObject parameters, params byte[][] pictures) =>
        Run(parameters, pictures, new Progress<StageProgress>(), CancellationToken.None);

    public async Task<StageResult> Run(
        JsonObject parameters,
        byte[][] pictures,
        IProgress<StageProgress> progress,
        CancellationToken cancel
    )
    {
        var scratch = Directory.CreateDirectory(_folder.File(Guid.NewGuid().ToString("N"))).FullName;
        return await Stage.RunAsync(
            new StageContext
            {
                Stage = Stage.Name,
                Unit = "00000",
                Parameters = Stage.Normalize(parameters),
                Inputs = new Dictionary<string, ArtifactRef>
                {
                    ["model"] = await Model(),
                    ["tokenizer"] = await Store.PutBytesAsync(Vocabulary, "vocabulary", "text/plain"),
                    ["shard"] = await Shard(pictures),
                },
                Artifacts = Store,
                Progress = progress,
                Scratch = scratch,
            },
            cancel
        );
    }

    public async Task<torch.Tensor> Read(StageResult result, string output, string key)
    {
        using var file = SafetensorsFile.Open(await Store.FetchAsync(result.Outputs[output]));
        return file.Read(key);
    }

    public Task<ShardImages> Images(StageResult result) =>
        ResultFormats.ShardImages.ReadAsync(result.Outputs["ids"], Store.FetchAsync, CancellationToken.None);

    public static ClipModel CreateModel(ClipArchitecture? sizes = null) => ClipModel.Initialize(sizes ?? Architecture, 5);

    /// <summary>Pixels as the model sees them: [n, 3, 32, 32].</summary>
    public static torch.Tensor Preprocessed(params byte[][] pictures)
    {
        var pixels = new float[pictures.Length * 3 * 32 * 32];
        for (var i = 0; i < pictures.Length; i++)
        {
            var image = ImageDecoder.Decode(pictures[i]);
            Preprocessor.Preprocess(DecodedImage.Of(image), ImagePreparation.OpenAi(32), pixels.AsSpan(i * 3 * 32 * 32, 3 * 32 * 32));
        }

        return torch.tensor(pixels).view(pictures.Length, 3, 32, 32);
    }

    public void Dispose()
    {
        Stage.Dispose();
        _folder.Dispose();
    }

    private async Task<ArtifactRef> Model()
    {
        var path = _folder.File("model.safetensors");
        using var model = ClipModel.Initialize(Sizes, ModelSeed);
        model.Save(path);
        return await Store.PutFileAsync(path, "model.safetensors", "application/x-safetensors");
    }

    private async Task<ArtifactRef> Shard(byte[][] pictures)
    {
        using var content = new MemoryStream();
        await using (var writer = new TarWriter(content, leaveOpen: true))
        {
            for (var i = 0; i < pictures.Length; i++)
            {
                Add(
                    writer,
                    $"{i:D8}.json",
                    Encoding.UTF8.GetBytes($$"""{"id":"images/{{i}}.png","captions":{{JsonSerializer.Serialize(Captions(i))}}}""")
                );
                Add(writer, $"{i:D8}.png", pictures[i]);
            }
        }

        return await Store.PutBytesAsync(content.ToArray(), "00000.tar", DatasetShard.MediaType);
    }

    private static void Add(TarWriter writer, string name, byte[] content) =>
        writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
}
