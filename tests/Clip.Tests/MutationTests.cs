using System.IO.Compression;
using System.Text;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Formats;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>What the readers of checkpoints, their descriptions and vocabularies do with damaged and lying files.</summary>
public sealed class MutationTests : IDisposable
{
    private const int Mutants = 20_000;
    private const long MaxAllocated = 16 << 20;
    private const string Merges = "#version: 0.2\na b\nab c</w>\ni n\nt h\nth e</w>\no r</w>\n";

    private readonly TemporaryFolder _folder = new();

    // Names, types and shapes are what a checkpoint is recognised by.
    [Theory]
    [InlineData(KeyLayout.OpenAi)]
    [InlineData(KeyLayout.HuggingFace)]
    public void Mutants_of_checkpoints_are_read_or_refused_in_one_line(KeyLayout layout)
    {
        var path = Smallest(layout);
        var header = BitConverter.ToInt64(File.ReadAllBytes(path), 0);

        Check(
            new MutationFuzz(path, (0, 8 + header)).Run(Mutants, seed: 4, MaxAllocated, (file, _) => ClipCheckpoint.Open(file).Dispose())
        );
    }

    [Fact]
    public void Mutants_of_an_index_are_read_or_refused_in_one_line()
    {
        var whole = Smallest(KeyLayout.HuggingFace);
        var index = _folder.File("model.safetensors.index.json");
        using (var file = SafetensorsFile.Open(whole))
        {
            var map = string.Join(",", file.Entries.Keys.Select(key => $"\"{key}\":\"{Path.GetFileName(whole)}\""));
            File.WriteAllText(index, $"{{\"metadata\":{{\"total_size\":1}},\"weight_map\":{{{map}}}}}");
        }

        Check(
            new MutationFuzz(index, (0, new FileInfo(index).Length)).Run(Mutants, seed: 5, MaxAllocated, (file, _) =>
                ClipCheckpoint.Open(file).Dispose()
            )
        );
    }

    [Theory]
    [InlineData(
        "model.safetensors",
        "config.json",
        """{"model_type":"clip","text_config":{"hidden_act":"quick_gelu","hidden_size":64,"num_attention_heads":1}"""
            + ""","vision_config":{"hidden_act":"quick_gelu","hidden_size":64}}"""
    )]
    [InlineData(
        "open_clip_model.safetensors",
        "open_clip_config.json",
        """{"model_cfg":{"embed_dim":8,"quick_gelu":true,"vision_cfg":{"image_size":8,"layers":1}"""
            + ""","text_cfg":{"context_length":8}},"preprocess_cfg":{"mean":[0.5]}}"""
    )]
    public void Mutants_of_a_description_are_read_or_refused_in_one_line(string weights, string name, string content)
    {
        File.Move(Smallest(KeyLayout.HuggingFace), _folder.File(weights));

        Check(
            Fuzz(name, Encoding.UTF8.GetBytes(content))
                .Run(Mutants, seed: 6, MaxAllocated, (_, _) => ClipCheckpoint.Open(_folder.Path).Dispose())
        );
    }

    [Theory]
    [InlineData("merges.txt", Merges)]
    [InlineData("tokenizer.json", """{"model":{"type":"BPE","vocab":{},"merges":["a b",["ab","c</w>"],"i n"]},"version":"1.0"}""")]
    public void Mutants_of_vocabularies_are_read_or_refused_in_one_line(string name, string content) =>
        Check(
            Fuzz(name, Encoding.UTF8.GetBytes(content.Replace("{}", Vocabulary(), StringComparison.Ordinal)))
                .Run(Mutants, seed: 7, MaxAllocated, (file, _) => ClipTokenizer.Load(file))
        );

    [Fact]
    public void Mutants_of_ids_beside_merges_are_read_or_refused_in_one_line()
    {
        var merges = _folder.File("merges.txt");
        File.WriteAllText(merges, "#version: 0.2\na b\nab c</w>\ni n\n");

        Check(
            Fuzz("vocab.json", Encoding.UTF8.GetBytes(Vocabulary()))
                .Run(Mutants, seed: 8, MaxAllocated, (_, _) => ClipTokenizer.Load(merges))
        );
    }

    [Fact]
    public void Mutants_of_a_gzipped_vocabulary_are_read_or_refused_in_one_line()
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.SmallestSize))
        {
            zip.Write(Encoding.UTF8.GetBytes(Merges));
        }

        Check(
            Fuzz("bpe_simple_vocab_16e6.txt.gz", packed.ToArray())
                .Run(Mutants, seed: 9, MaxAllocated, (file, _) => ClipTokenizer.Load(file))
        );
    }

    public void Dispose() => _folder.Dispose();

    private static void Check((int Read, int Refused) counts)
    {
        (counts.Read + counts.Refused).ShouldBe(Mutants);
        counts.Refused.ShouldBeGreaterThan(Mutants / 4);
        counts.Read.ShouldBeGreaterThan(0);
    }

    // All of the file is structure.
    private MutationFuzz Fuzz(string name, byte[] content)
    {
        var path = _folder.File(name);
        File.WriteAllBytes(path, content);
        return new MutationFuzz(path, (0, content.Length));
    }

    private static string Vocabulary()
    {
        var tokenizer = ClipTokenizer.FromMerges([("a", "b"), ("ab", "c</w>"), ("i", "n")]);
        return System.Text.Json.JsonSerializer.Serialize(tokenizer.Vocabulary.ToDictionary());
    }

    // One block a tower.
    private string Smallest(KeyLayout layout)
    {
        var path = _folder.File("smallest.safetensors");
        using var scope = torch.NewDisposeScope();
        using var model = ClipModel.Initialize(new ClipArchitecture(8, 8, 1, 64, 4, 8, 16, 64, 1), seed: 0);
        SafetensorsWriter.Write(path, model.StateDict().SelectMany(weight => Named(weight.Key, weight.Value, layout)));
        return path;
    }

    private static IEnumerable<KeyValuePair<string, torch.Tensor>> Named(string key, torch.Tensor weight, KeyLayout layout)
    {
        if (layout == KeyLayout.OpenAi)
        {
            return [KeyValuePair.Create(key, weight)];
        }

        var names = HuggingFaceKeys.FromOpenAi(key);
        var turned = HuggingFaceKeys.IsTransposed(key) ? weight.t() : weight;
        return names.Count == 1 ? [KeyValuePair.Create(names[0], turned)] : names.Zip(turned.chunk(names.Count), KeyValuePair.Create);
    }
}
