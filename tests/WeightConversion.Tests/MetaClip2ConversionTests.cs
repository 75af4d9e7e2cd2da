using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

/// <summary>A MetaCLIP 2 as transformers keeps it (a tiny model of its own code) through the formats that exist for it.</summary>
public sealed class MetaClip2ConversionTests : IDisposable
{
    private const string Name = "metaclip_2";

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Every_format_computes_the_same_and_says_what_it_is()
    {
        var conversion = Conversion.Run(
            Source,
            _folder.Path,
            new ConversionOptions { Formats = ["openai", "huggingface", "open-clip", "onnx", "gmp"] },
            Tokenizer("xlm")
        );

        foreach (var (path, proof) in conversion.Proofs)
        {
            proof.Image.MaxRelative.ShouldBeLessThan(1e-5, path);
            proof.Text.MaxRelative.ShouldBeLessThan(1e-5, path);
        }

        using var original = Source.Open();
        foreach (var path in new[] { "openai.safetensors", "huggingface", "open_clip", "gmp.safetensors" })
        {
            using var written = ClipCheckpoint.Open(_folder.File(path));
            (written.Architecture, written.IsActivationAssumed).ShouldBe((original.Architecture, false), path);
        }

        var (was, config, special) = (
            JsonNode.Parse(File.ReadAllText(Path.Combine(Source.Path, "config.json")))!,
            Json("huggingface/config.json"),
            Json("huggingface/tokenizer_config.json")
        );
        config["model_type"]!.GetValue<string>().ShouldBe(was["model_type"]!.GetValue<string>());
        foreach (
            var (tower, key) in new[] { "vision_config", "text_config" }.SelectMany(tower =>
                was[tower]!.AsObject().Select(entry => (tower, entry.Key))
            )
        )
        {
            config[tower]![key]!.ToJsonString().ShouldBe(was[tower]![key]!.ToJsonString(), key);
        }

        (special["tokenizer_class"]!.GetValue<string>(), special["pad_token"]!.GetValue<string>()).ShouldBe(
            ("XLMRobertaTokenizer", "<pad>")
        );
        ClipTokenizer.Load(ClipTokenizer.FileBeside(_folder.File("huggingface"))).ShouldBeOfType<XlmTokenizer>();
        File.ReadAllText(_folder.File(Conversion.CardName)).ShouldContain("A MetaCLIP 2 with a vision transformer");
    }

    // As transformers' own conversion prepares pictures; every description says it again.
    [Fact]
    public void Pictures_that_are_squashed_stay_so()
    {
        var squashed = Directory.CreateDirectory(_folder.File("squashed")).FullName;
        foreach (var path in Directory.EnumerateFiles(Source.Path))
        {
            File.Copy(path, Path.Combine(squashed, Path.GetFileName(path)));
        }

        File.WriteAllText(
            Path.Combine(squashed, "preprocessor_config.json"),
            """{"image_processor_type":"CLIPImageProcessor","size":{"height":24,"width":24},"crop_size":{"height":24,"width":24}}"""
        );
        Conversion.Run(
            new ConversionSource(squashed, Name),
            _folder.File("out"),
            new ConversionOptions { Formats = ["openai", "huggingface", "open-clip"] },
            Tokenizer("xlm")
        );

        using var original = ClipCheckpoint.Open(squashed);
        original.Architecture.Fit.ShouldBe(Imaging.Resizing.ImageFit.Squash);
        foreach (var path in new[] { "openai.safetensors", "huggingface", "open_clip" })
        {
            using var written = ClipCheckpoint.Open(_folder.File("out/" + path));
            written.Architecture.ShouldBe(original.Architecture, path);
        }

        File.ReadAllText(_folder.File("out/" + Conversion.CardName)).ShouldContain("RGB, both sides to 24");
    }

    [Theory]
    [InlineData("openai-pt")]
    [InlineData("text-encoder")]
    [InlineData("long-clip")]
    public void A_format_that_a_MetaCLIP_2_has_not_is_one_line_before_anything_is_written(string format)
    {
        Should
            .Throw<UserErrorException>(() =>
                Conversion.Run(Source, _folder.Path, new ConversionOptions { Formats = ["openai", format] }, Tokenizer("xlm"))
            )
            .Message.ShouldBe($"{Name}: a MetaCLIP 2 has no format {format}; it has openai, huggingface, open-clip, onnx, gmp, peft");
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    // Each is told by its kind, whatever their sizes.
    [Fact]
    public void A_vocabulary_of_another_family_is_refused()
    {
        using var other = ClipModel.Initialize(
            new ClipArchitecture(16, 16, 1, 64, 8, 16, 500, 64, 1) { Family = ClipFamily.MetaClip2 },
            seed: 1
        );
        other.Save(_folder.File("other.safetensors"));
        Should
            .Throw<UserErrorException>(() =>
                Conversion.Run(
                    new ConversionSource(_folder.File("other.safetensors"), "other"),
                    _folder.File("out"),
                    new ConversionOptions { Formats = ["huggingface"] },
                    Tokenizer("siglip")
                )
            )
            .Message.ShouldContain("name facebook/xlm-v-base's sentencepiece.bpe.model with --tokenizer");
    }

    private static ConversionSource Source => new(ReferenceFiles.Named($"transformers/{Name}"), Name);

    private static ClipTokenizer Tokenizer(string name) => ClipTokenizer.Load(ReferenceFiles.Named($"sentencepiece/{name}.model"));

    private JsonNode Json(string name) => JsonNode.Parse(File.ReadAllText(_folder.File(name)))!;
}
