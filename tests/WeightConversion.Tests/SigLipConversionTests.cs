using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Proofs;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

/// <summary>
/// A SigLIP and a SigLIP 2 as transformers keeps them (tiny models of its own code) through the formats that exist for them.
/// </summary>
public sealed class SigLipConversionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("siglip", "siglip", "spiece.model", "SiglipTokenizer")]
    [InlineData("siglip_even", "siglip2", "tokenizer.model", "GemmaTokenizer")]
    public void Untouched_weights_come_back_to_the_byte_with_description_and_vocabulary(
        string name,
        string vocabulary,
        string vocabularyName,
        string tokenizerClass
    )
    {
        var conversion = Conversion.Run(
            Source(name),
            _folder.Path,
            new ConversionOptions { Formats = ["huggingface"] },
            Tokenizer(vocabulary)
        );

        conversion.Proofs["huggingface"].Image.MaxRelative.ShouldBe(0);
        conversion.Proofs["huggingface"].Text.MaxRelative.ShouldBe(0);
        using var before = SafetensorsFile.Open(Path.Combine(Model(name), "model.safetensors"));
        using var after = SafetensorsFile.Open(_folder.File("huggingface/model.safetensors"));
        after.Entries.Keys.ShouldBe(before.Entries.Keys, ignoreOrder: true);
        foreach (var (key, entry) in before.Entries)
        {
            after.Entries[key].Shape.ShouldBe(entry.Shape, key);
            after.Read(key).bytes.SequenceEqual(before.Read(key).bytes).ShouldBeTrue(key);
        }

        File.ReadAllBytes(_folder.File($"huggingface/{vocabularyName}"))
            .ShouldBe(File.ReadAllBytes(ReferenceFiles.Named($"sentencepiece/{vocabulary}.model")));
        Json("tokenizer_config.json")["tokenizer_class"]!.GetValue<string>().ShouldBe(tokenizerClass);
        var (was, config, pictures) = (
            JsonNode.Parse(File.ReadAllText(Path.Combine(Model(name), "config.json")))!,
            Json("config.json"),
            Json("preprocessor_config.json")
        );
        foreach (
            var (tower, key) in new[] { "vision_config", "text_config" }.SelectMany(tower =>
                was[tower]!.AsObject().Select(entry => (tower, entry.Key))
            )
        )
        {
            config[tower]![key]!.ToJsonString().ShouldBe(was[tower]![key]!.ToJsonString(), key);
        }

        (pictures["image_processor_type"]!.GetValue<string>(), pictures["size"]!["height"]!.GetValue<int>()).ShouldBe(
            ("SiglipImageProcessor", was["vision_config"]!["image_size"]!.GetValue<int>())
        );
        File.ReadAllText(_folder.File(Conversion.CardName)).ShouldContain("as SigLIP's are: RGB, both sides to");
    }

    [Fact]
    public void Through_Geometric_Parametrization_and_back_features_stay()
    {
        var (source, options) = (Source("siglip"), new ConversionOptions { Formats = ["gmp"] });
        Conversion.Run(source, _folder.File("first"), options).GeometricLayers.ShouldBe(0);

        var back = Conversion.Run(
            new ConversionSource(_folder.File("first/gmp.safetensors"), "gmp"),
            _folder.File("second"),
            new ConversionOptions { Formats = ["huggingface", "gmp"] },
            Tokenizer("siglip")
        );

        back.GeometricLayers.ShouldBe(10); // two blocks a tower and the head, two layers each
        using var original = source.Open();
        using var arrived = ClipCheckpoint.Open(_folder.File("second/huggingface"));
        arrived.Architecture.ShouldBe(original.Architecture);
        var probes = Probes.Draw(original.Architecture, options.Seed, options.ProbeImages, options.ProbeTexts);
        Differences
            .OfFeatures(ProbeFeatures.Of(original, probes).Image, ProbeFeatures.Of(arrived, probes).Image)
            .MaxRelative.ShouldBeLessThan(1e-5);
        Differences
            .OfFeatures(ProbeFeatures.Of(original, probes).Text, ProbeFeatures.Of(arrived, probes).Text)
            .MaxRelative.ShouldBeLessThan(1e-5);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("openai-pt")]
    [InlineData("text-encoder")]
    [InlineData("open-clip")]
    [InlineData("onnx")]
    [InlineData("long-clip")]
    public void A_format_that_a_SigLIP_has_not_is_one_line_before_anything_is_written(string format)
    {
        Should
            .Throw<UserErrorException>(() =>
                Conversion.Run(
                    Source("siglip"),
                    _folder.Path,
                    new ConversionOptions { Formats = ["huggingface", format] },
                    Tokenizer("siglip")
                )
            )
            .Message.ShouldBe($"siglip: a SigLIP has no format {format}; it has huggingface, gmp, peft");
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    // Each is told by its kind, whatever their sizes.
    [Fact]
    public void A_vocabulary_of_the_other_family_is_refused()
    {
        Should
            .Throw<UserErrorException>(() =>
                Conversion.Run(Source("siglip"), _folder.Path, new ConversionOptions { Formats = ["huggingface"] }, Tokenizer("siglip2"))
            )
            .Message.ShouldContain("the tokenizer has 700 tokens, but the model knows 500");
        using var clip = ClipModel.Initialize(new ClipArchitecture(16, 16, 1, 64, 8, 16, 500, 64, 1), seed: 1);
        clip.Save(_folder.File("clip.safetensors"));
        Should
            .Throw<UserErrorException>(() =>
                Conversion.Run(
                    new ConversionSource(_folder.File("clip.safetensors"), "clip"),
                    _folder.File("out"),
                    new ConversionOptions { Formats = ["huggingface"] },
                    Tokenizer("siglip")
                )
            )
            .Message.ShouldContain("the vocabulary is that of a SigLIP or a MetaCLIP 2, and the model is a CLIP");
    }

    private static ConversionSource Source(string name) => new(Model(name), name);

    private static string Model(string name) => ReferenceFiles.Named($"transformers/{name}");

    private static ClipTokenizer Tokenizer(string name) => ClipTokenizer.Load(ReferenceFiles.Named($"sentencepiece/{name}.model"));

    private JsonNode Json(string name) => JsonNode.Parse(File.ReadAllText(_folder.File($"huggingface/{name}")))!;
}
