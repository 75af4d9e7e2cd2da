using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Proofs;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

public sealed class RoundTripTests : IDisposable
{
    private static readonly Precision[] Precisions = [Precision.Float32, Precision.Float16, Precision.Bfloat16];

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    // Every format into every other one and back into the first; the tiny model has 130 tokens of context, so that Long-CLIP's fits too.
    public static TheoryData<string, string> Pairs => [.. from a in Written() from b in Written() select (a, b)];

    public static TheoryData<string, string> PairsWithOnnx =>
        [.. from a in Written() from b in ConversionTarget.All where !b.NeedsBase select (a, b.Name)];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void From_any_format_into_any_other_the_weights_stay_the_same(string from, string to)
    {
        var source = new ConversionSource(Small(), "small");
        var first = Convert(source, from, Precision.Float32, "first");
        var second = Convert(new ConversionSource(first, from, source.Path), to, Precision.Float32, "second");

        using var original = ClipCheckpoint.Open(source.Path);
        using var arrived = ClipCheckpoint.Open(second, vision: source.Path);
        var (expected, actual) = (new PlainWeights(original), new PlainWeights(arrived));
        foreach (var (key, _) in expected.Shapes)
        {
            // Splitting into r and theta and multiplying again rounds twice.
            expected.Read(key).allclose(actual.Read(key), rtol: 1e-6, atol: 1e-7).ShouldBeTrue(key);
        }
    }

    // Nine pairs of types for every pair of formats; the way ends in ONNX too, which is always float32.
    [Theory]
    [MemberData(nameof(PairsWithOnnx))]
    public void Between_any_two_formats_and_types_features_stay_within_the_tolerance_of_the_narrower_type(string from, string to)
    {
        var source = new ConversionSource(Small(), "small");
        using var original = source.Open();
        var probes = Probes.Draw(original.Architecture, seed: 0, images: 4, texts: 8);
        var expected = ProbeFeatures.Of(original, probes);
        foreach (var first in Precisions)
        {
            var middle = new ConversionSource(Convert(source, from, first, "first"), from, source.Path);
            foreach (var second in Precisions)
            {
                var target = ConversionTarget.Named(to);
                var (features, _) = target.Load(Convert(middle, to, second, "second"), source, probes);

                var tolerance = new[] { first, second }.Max(type => new ConversionOptions { Dtype = type }.EffectiveTolerance);
                tolerance = Math.Max(tolerance, target.MinTolerance);
                Difference(features.Image, expected.Image).ShouldBeLessThan(tolerance, $"images, {first} then {second}");
                Difference(features.Text, expected.Text).ShouldBeLessThan(tolerance, $"texts, {first} then {second}");
            }
        }
    }

    [Theory]
    [InlineData("float16")]
    [InlineData("bfloat16")]
    public void Narrow_formats_keep_features_within_their_precision(string dtype)
    {
        var options = new ConversionOptions
        {
            Formats = [.. Written().Where(format => format != "gmp")],
            Dtype = Enum.Parse<Precision>(dtype, ignoreCase: true),
        };

        var conversion = Conversion.Run(new ConversionSource(Small(), "small"), _folder.File("out"), options, SmallTokenizer());

        conversion.Proofs.Keys.ShouldBe([
            "huggingface",
            "longclip.pt",
            "open_clip",
            "openai.pt",
            "openai.safetensors",
            "text_encoder.safetensors",
            "text_encoder_with_projection.safetensors",
        ]);
        conversion.Proofs.Values.ShouldAllBe(proof => proof.Holds);
        // Something was rounded, or the proof would prove nothing.
        conversion.Proofs["openai.pt"].Image.MaxRelative.ShouldBeGreaterThan(1e-5);
    }

    // The features are those of the original PyTorch code for the model with r and theta.
    [Theory]
    [InlineData("openai-pt", "openai.pt")]
    [InlineData("huggingface", "huggingface")]
    [InlineData("open-clip", "open_clip")]
    [InlineData("gmp", "gmp.safetensors")]
    public void Written_formats_give_the_features_of_the_original_code(string format, string path)
    {
        var target = ConversionTarget.Named(format);
        WeightConverter.Convert(Widened(ReferenceFiles.GeometricModel), _folder.Path, [target], Precision.Float32, SmallTokenizer());

        using var model = ClipModel.Load(_folder.File(path));
        using var inference = torch.no_grad();
        Difference(
                model.EncodeImage(ReferenceFiles.Read(ReferenceFiles.Expected, "image")),
                ReferenceFiles.Read(ReferenceFiles.GeometricExpected, "image_features")
            )
            .ShouldBeLessThan(1e-5);
        Difference(
                model.EncodeText(ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens")),
                ReferenceFiles.Read(ReferenceFiles.GeometricExpected, "text_features")
            )
            .ShouldBeLessThan(1e-5);
    }

    // Each conversion loads what it wrote and compares its features with the source's: a description that says less would fail it.
    [Theory]
    [InlineData("gelu", 2, 5, "gelu")]
    [InlineData("gelu_pytorch_tanh", 4, 1, "gelu_pytorch_tanh")]
    [InlineData("quick_gelu", 8, 2, "quick_gelu")]
    public void Models_with_other_activations_and_heads_say_so_in_every_format(
        string activation,
        int visionHeads,
        int textHeads,
        string expected
    )
    {
        var path = _folder.File("other.safetensors");
        var sizes = new ClipArchitecture(32, 16, 2, 64, 8, 77, 514, 40, 2)
        {
            Activation = MlpActivation.Find(activation)!,
            VisionHeads = visionHeads,
            TextHeads = textHeads,
            VisionNeurons = 150,
        };
        using (var model = ClipModel.Initialize(sizes, seed: 3))
        {
            model.Save(path);
        }

        var options = new ConversionOptions { Formats = ["openai", "huggingface", "open-clip", "gmp", "onnx", "text-encoder"] };
        var conversion = Conversion.Run(new ConversionSource(path, "other"), _folder.File("out"), options, SmallTokenizer());

        conversion.Proofs.Values.ShouldAllBe(proof => proof.Holds);
        foreach (var written in new[] { "openai.safetensors", "huggingface", "open_clip", "gmp.safetensors" })
        {
            using var checkpoint = ClipCheckpoint.Open(Path.Combine(_folder.File("out"), written));
            checkpoint.Architecture.ShouldBe(sizes);
        }

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder.File("out"), "huggingface", "config.json")))!;
        config["vision_config"]!["hidden_act"]!.GetValue<string>().ShouldBe(expected);
        config["vision_config"]!["intermediate_size"]!.GetValue<int>().ShouldBe(150);
        File.ReadAllText(Path.Combine(_folder.File("out"), Conversion.CardName))
            .ShouldContain(activation == "quick_gelu" ? "QuickGELU" : $"{activation}; {visionHeads} heads");
        Should
            .Throw<UserErrorException>(() =>
                Conversion.Run(
                    new ConversionSource(path, "other"),
                    _folder.File("pt"),
                    new ConversionOptions { Formats = ["openai-pt"] },
                    SmallTokenizer()
                )
            )
            .Message.ShouldContain("openai.pt: a state dict of torch.save cannot say");
    }

    [Fact]
    public void A_folder_of_transformers_has_the_names_and_the_description_that_it_needs()
    {
        var folder = Convert(Widened(ReferenceFiles.Model), "huggingface", Precision.Float32, "out");

        using (var file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors")))
        {
            file.Metadata["format"].ShouldBe("pt");
            file.Entries.Keys.ShouldNotContain(key => key.Contains("position_ids", StringComparison.Ordinal));
            file.Entries["visual_projection.weight"].Shape.ShouldBe([64, 128]);
            foreach (
                var key in new[]
                {
                    "vision_model.pre_layrnorm.weight",
                    "text_model.encoder.layers.1.self_attn.q_proj.bias",
                    "vision_model.encoder.layers.2.mlp.fc2.weight",
                    "text_model.final_layer_norm.bias",
                    "logit_scale",
                }
            )
            {
                file.Entries.Keys.ShouldContain(key);
            }
        }

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!;
        // JSON would have it as 1, which transformers 5 refuses as no float; it is the default.
        config.AsObject().ContainsKey("initializer_factor").ShouldBeFalse();
        config["text_config"]!["hidden_act"]!.GetValue<string>().ShouldBe("quick_gelu");
        config["text_config"]!["eos_token_id"]!.GetValue<int>().ShouldBe(513);
        config["text_config"]!["max_position_embeddings"]!.GetValue<int>().ShouldBe(77);
        config["vision_config"]!["num_attention_heads"]!.GetValue<int>().ShouldBe(2);
        var tokenizer = ClipTokenizer.Load(Path.Combine(folder, "merges.txt")); // checks vocab.json beside it
        tokenizer.VocabularySize.ShouldBe(514);
    }

    [Fact]
    public void The_real_vocabulary_survives_the_folder()
    {
        var path = _folder.File("wide.safetensors");
        using (var model = ClipModel.Initialize(new ClipArchitecture(8, 8, 1, 64, 4, 77, 49408, 64, 1), seed: 0))
        {
            model.Save(path);
        }

        var folder = Convert(
            new ConversionSource(path, "wide"),
            "huggingface",
            Precision.Float32,
            "out",
            ClipTokenizer.Load(ReferenceFiles.Vocabulary)
        );

        JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "vocab.json")))!["<|endoftext|>"]!.GetValue<int>().ShouldBe(49407);
        // As OpenAI's tokenizer numbers it.
        JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "vocab.json")))!["cat</w>"]!.GetValue<int>().ShouldBe(2368);
        // A heading and 48,894 merges, as in openai/clip-vit-large-patch14.
        File.ReadLines(Path.Combine(folder, "merges.txt")).Count().ShouldBe(48895);
    }

    // ONNX Runtime on the reference inputs against the features of the original PyTorch code; batches of three and four through one graph.
    [Fact]
    public void Onnx_Runtime_gives_the_features_of_the_original_code()
    {
        WeightConverter.Convert(
            new ConversionSource(ReferenceFiles.GeometricModel, "tiny"),
            _folder.Path,
            [new OnnxTarget()],
            Precision.Float32
        );
        var probes = new Probes(
            ReferenceFiles.Read(ReferenceFiles.Expected, "image"),
            ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens")
        );

        var (features, _) = new OnnxTarget().Load(_folder.File("onnx"), new ConversionSource("", ""), probes);

        Difference(features.Image, ReferenceFiles.Read(ReferenceFiles.GeometricExpected, "image_features")).ShouldBeLessThan(1e-4);
        Difference(features.Text, ReferenceFiles.Read(ReferenceFiles.GeometricExpected, "text_features")).ShouldBeLessThan(1e-4);
    }

    [Fact]
    public void Onnx_files_give_normalised_features_too_and_equal_bytes_for_equal_sources()
    {
        var source = new ConversionSource(ReferenceFiles.Model, "tiny");
        var (first, second) = (Convert(source, "onnx", Precision.Float32, "a"), Convert(source, "onnx", Precision.Float32, "b"));
        File.ReadAllBytes(Path.Combine(first, "text_encoder.onnx")).ShouldBe(File.ReadAllBytes(Path.Combine(second, "text_encoder.onnx")));

        using var session = new InferenceSession(Path.Combine(first, "image_encoder.onnx"));
        session.ModelMetadata.CustomMetadataMap["image_size"].ShouldBe("32");
        using var results = session.Run(
            [
                NamedOnnxValue.CreateFromTensor(
                    "pixel_values",
                    new DenseTensor<float>(Enumerable.Range(0, 2 * 3 * 32 * 32).Select(i => i % 7 / 7f).ToArray(), [2, 3, 32, 32])
                ),
            ],
            ["image_embeds"]
        );
        results[0].AsTensor<float>().ToArray().Chunk(64).ShouldAllBe(row => Math.Abs(row.Sum(value => value * value) - 1) < 1e-5);
    }

    [Fact]
    public void Formats_say_what_they_cannot_do()
    {
        var source = new ConversionSource(ReferenceFiles.Model, "tiny");
        Should.Throw<UserErrorException>(() => Convert(source, "long-clip", Precision.Float32, "a")).Message.ShouldContain("77 tokens");
        Should
            .Throw<UserErrorException>(() => WeightConverter.Convert(source, _folder.Path, [new HuggingFaceTarget()], Precision.Float32))
            .Message.ShouldContain("--tokenizer");
        Should.Throw<UserErrorException>(() => Convert(source, "huggingface", Precision.Float32, "b")).Message.ShouldContain("514 tokens");
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    // ONNX is written only; its test compares features.
    private static IEnumerable<string> Written() =>
        ConversionTarget.All.Where(target => target is { NeedsBase: false } and not OnnxTarget).Select(target => target.Name);

    private static double Difference(torch.Tensor actual, torch.Tensor expected) =>
        ((actual - expected).abs().max() / expected.abs().max()).item<float>();

    private string Convert(ConversionSource source, string format, Precision dtype, string name, ClipTokenizer? tokenizer = null)
    {
        var folder = Directory.CreateDirectory(_folder.File(name)).FullName;
        var target = ConversionTarget.Named(format);
        WeightConverter.Convert(source, folder, [target], dtype, tokenizer ?? SmallTokenizer());
        return Path.Combine(folder, target.Loadable[^1]);
    }

    // No merges: the 512 byte symbols, start and end of text.
    private static ClipTokenizer SmallTokenizer() => ClipTokenizer.FromMerges([]);

    private string Small()
    {
        using var model = ClipModel.Initialize(new ClipArchitecture(16, 16, 2, 64, 8, 130, 514, 64, 2), seed: 1);
        model.Save(_folder.File("small.safetensors"));
        return _folder.File("small.safetensors");
    }

    // The reference knows 300 tokens, fewer than any tokenizer has; tokens that no text uses change nothing.
    private ConversionSource Widened(string reference)
    {
        const string Key = "token_embedding.weight";
        ChangedCheckpoint.Write(reference, _folder.File("tiny.safetensors"), tensors =>
            tensors[Key] = torch.cat([tensors[Key], torch.zeros(214, 64, dtype: tensors[Key].dtype)])
        );
        return new ConversionSource(_folder.File("tiny.safetensors"), "tiny");
    }
}
