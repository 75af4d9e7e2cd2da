using System.Text;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Generators;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Transplanting;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

public sealed class TransplantTests : IDisposable
{
    private static readonly ClipTokenizer Tokenizer = ClipTokenizer.FromMerges([]);
    private static readonly ClipArchitecture Tiny = new(8, 16, 1, 64, 8, 20, Tokenizer.VocabularySize, 64, 2);
    private static readonly string[] Prompts = ["a cat", "a sign: \"dog\""];

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    [Theory]
    [InlineData("cond_stage_model.transformer.text_model.", true)]
    [InlineData("text_encoders.clip_l.transformer.text_model.", true)]
    [InlineData("conditioner.embedders.0.model.", false)]
    [InlineData("text_model.", true)]
    public void The_text_tower_enters_a_single_file_and_every_other_byte_stays(string prefix, bool isTransformers)
    {
        var activation = isTransformers ? MlpActivation.QuickGelu : MlpActivation.Gelu;
        var generator = Generator("generator.safetensors", prefix, isTransformers, Model(1, activation), torch.float16);
        var model = Save(Model(2, activation), "tuned.safetensors");

        var result = Run(model, generator, "out.safetensors");

        result.HiddenStates.First(change => change.Tokens == TokenKind.Prompt).MeanCosine.ShouldBeLessThan(0.9);
        RequireOnlyTextChanged(generator, _folder.File("out.safetensors"), prefix);
        using var written = ClipCheckpoint.Open(_folder.File("out.safetensors"), vision: model);
        using var tuned = ClipCheckpoint.Open(model);
        written.Architecture.Activation.ShouldBe(activation);
        foreach (
            var key in tuned.Keys.Where(key =>
                !key.StartsWith("visual.", StringComparison.Ordinal) && key is not ("text_projection" or "logit_scale")
            )
        )
        {
            written
                .Read(key)
                .ShouldSatisfyAllConditions(
                    weight => weight.dtype.ShouldBe(torch.float16),
                    weight => weight.equal(tuned.Read(key).to(torch.float16)).all().item<bool>().ShouldBeTrue(key)
                );
        }
    }

    [Fact]
    public void Of_two_encoders_the_one_that_the_model_fits_is_replaced()
    {
        var wide = Tiny with { TextWidth = 128, TextLayers = 3 };
        var tensors = Encoder("conditioner.embedders.0.transformer.text_model.", true, Model(1, MlpActivation.QuickGelu))
            .Concat(
                Encoder("conditioner.embedders.1.model.", false, ClipModel.Initialize(wide with { Activation = MlpActivation.Gelu }, 1))
            );
        var generator = Write("sdxl.safetensors", tensors, torch.float16);
        var model = Save(ClipModel.Initialize(wide with { Activation = MlpActivation.Gelu }, 2), "tuned.safetensors");

        var result = Run(model, generator, "out.safetensors");

        result.Encoder.ShouldBe("conditioner.embedders.1");
        RequireOnlyTextChanged(generator, _folder.File("out.safetensors"), "conditioner.embedders.1.model.");
        Should
            .Throw<UserErrorException>(() => Run(model, generator, "again.safetensors", encoder: "conditioner.embedders.0"))
            .Message.ShouldContain("conditioner.embedders.0: ");
        Should
            .Throw<UserErrorException>(() => Run(model, generator, "again.safetensors", encoder: "clip_g"))
            .Message.ShouldContain("it has conditioner.embedders.0, conditioner.embedders.1");
    }

    [Fact]
    public void The_model_itself_changes_nothing_and_pooled_states_are_its_text_features()
    {
        var model = Save(Model(1, MlpActivation.QuickGelu), "model.safetensors");
        var generator = Generator(
            "generator.safetensors",
            "text_encoders.clip_l.transformer.text_model.",
            true,
            Model(1, MlpActivation.QuickGelu),
            torch.float32
        );

        var result = Run(model, generator, "out.safetensors");

        File.ReadAllBytes(_folder.File("out.safetensors")).ShouldBe(File.ReadAllBytes(generator));
        result.HiddenStates.ShouldAllBe(change => Math.Abs(change.MinCosine - 1) < 1e-9 && Math.Abs(change.MeanNormRatio - 1) < 1e-9);
        using var clip = ClipModel.Load(model);
        var tokens = torch.tensor(Tokenizer.Encode("a cat", 20, out _), dtype: torch.int64).unsqueeze(0);
        using var noGrad = torch.no_grad();
        using var states = TextHiddenStates.Compute(Tiny, clip.PlainStateDict(), tokens, tokens.argmax(-1));
        states.Pooled.allclose(clip.EncodeText(tokens), atol: 1e-5).ShouldBeTrue();
    }

    [Fact]
    public void A_folder_of_diffusers_is_written_whole_in_every_precision_and_with_the_blocks_that_it_has()
    {
        var folder = _folder.File("sd2");
        Directory.CreateDirectory(Path.Combine(folder, "text_encoder"));
        Directory.CreateDirectory(Path.Combine(folder, "unet"));
        File.WriteAllText(
            Path.Combine(folder, "text_encoder", "config.json"),
            "{\"model_type\": \"clip_text_model\", \"hidden_act\": \"gelu\", \"hidden_size\": 64}"
        );
        File.WriteAllText(Path.Combine(folder, "unet", "weights.bin"), "of the generator");
        var shallow = ClipModel.Initialize(Tiny with { TextLayers = 1, Activation = MlpActivation.Gelu }, 1);
        Write("sd2/text_encoder/model.safetensors", Encoder("text_model.", true, shallow), torch.float32);
        Write("sd2/text_encoder/model.fp16.safetensors", Encoder("text_model.", true, shallow), torch.float16);
        var model = Save(Model(2, MlpActivation.Gelu), "tuned.safetensors");

        var result = Run(model, folder, "out");

        result.ShouldSatisfyAllConditions(
            r => r.Blocks.ShouldBe(1),
            r => r.Files.Count.ShouldBe(2),
            r => r.Encoder.ShouldBe("text_encoder")
        );
        File.ReadAllText(_folder.File("out/unet/weights.bin")).ShouldBe("of the generator");
        using var tuned = ClipCheckpoint.Open(model);
        using var written = SafetensorsFile.Open(_folder.File("out/text_encoder/model.fp16.safetensors"));
        written
            .Read("text_model.final_layer_norm.weight")
            .equal(tuned.Read("ln_final.weight").to(torch.float16))
            .all()
            .item<bool>()
            .ShouldBeTrue();

        Should
            .Throw<UserErrorException>(() => Run(Save(Model(2, MlpActivation.QuickGelu), "quick.safetensors"), folder, "again"))
            .Message.ShouldContain("the generator computes it with gelu");
    }

    [Fact]
    public void Of_a_longer_context_the_first_positions_are_written()
    {
        var model = Save(ClipModel.Initialize(Tiny with { ContextLength = 30 }, 2), "long.safetensors");
        var generator = Generator(
            "generator.safetensors",
            "clip_l.transformer.text_model.",
            true,
            Model(1, MlpActivation.QuickGelu),
            torch.float32
        );

        var result = Run(model, generator, "out.safetensors");

        result.Notes().ShouldContain(note => note.Contains("reads 30 tokens, the generator gives it 20", StringComparison.Ordinal));
        using var tuned = ClipModel.Load(model);
        using var written = ClipModel.Load(WithVision(_folder.File("out.safetensors"), model));
        var prompt = torch.tensor(Tokenizer.Encode("a cat", 20, out _), dtype: torch.int64).unsqueeze(0);
        var longer = torch.tensor(Tokenizer.Encode("a cat", 30, out _), dtype: torch.int64).unsqueeze(0);
        written.EncodeText(prompt).allclose(tuned.EncodeText(longer), atol: 1e-5).ShouldBeTrue();
    }

    [Fact]
    public void What_cannot_be_written_is_refused_in_one_line_and_leaves_nothing()
    {
        var model = Save(Model(2, MlpActivation.QuickGelu), "tuned.safetensors");
        var other = Generator(
            "other.safetensors",
            "clip_l.transformer.text_model.",
            true,
            ClipModel.Initialize(Tiny with { TextWidth = 128 }, 1),
            torch.float32
        );
        var two = Write(
            "two.safetensors",
            Encoder("clip_l.transformer.text_model.", true, Model(1, MlpActivation.QuickGelu))
                .Concat(Encoder("cond_stage_model.transformer.text_model.", true, Model(1, MlpActivation.QuickGelu))),
            torch.float32
        );
        var none = Write("none.safetensors", [KeyValuePair.Create("model.diffusion_model.weight", torch.ones(2))], torch.float32);
        var huge = Save(Scaled(Model(2, MlpActivation.QuickGelu), 1e6f), "huge.safetensors");
        var half = Generator("half.safetensors", "clip_l.transformer.text_model.", true, Model(1, MlpActivation.QuickGelu), torch.float16);
        File.WriteAllBytes(_folder.File("old.ckpt"), Encoding.ASCII.GetBytes("not a file of tensors"));

        Refused(model, other)
            .ShouldContain("no text encoder can be replaced by that of tuned.safetensors: clip_l: 'clip_l.transformer.text_model.");
        Refused(model, two).ShouldContain("name the one to replace with --encoder");
        Refused(model, none).ShouldContain("contains no text encoder of CLIP");
        Refused(model, model).ShouldContain("is a whole CLIP");
        Refused(huge, half).ShouldContain("too large for it");
        Refused(model, _folder.File("old.ckpt")).ShouldContain("old.ckpt");
        File.Exists(_folder.File("out.safetensors")).ShouldBeFalse();
        Directory.EnumerateFileSystemEntries(_folder.Path, "*.tmp").ShouldBeEmpty();
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private string Refused(string model, string generator)
    {
        var message = Should.Throw<UserErrorException>(() => Run(model, generator, "out.safetensors")).Message;
        message.ShouldNotContain("\n");
        return message;
    }

    private TransplantResult Run(string model, string generator, string target, string? encoder = null) =>
        Transplant.Run(new ConversionSource(model, Path.GetFileName(model)), generator, encoder, _folder.File(target), Prompts, Tokenizer);

    private static ClipModel Model(int seed, MlpActivation activation) => ClipModel.Initialize(Tiny with { Activation = activation }, seed);

    private string Save(ClipModel model, string name)
    {
        using (model)
        {
            model.Save(_folder.File(name));
        }

        return _folder.File(name);
    }

    private static ClipModel Scaled(ClipModel model, float factor)
    {
        using var noGrad = torch.no_grad();
        foreach (var (_, parameter) in model.named_parameters())
        {
            parameter.mul_(factor);
        }

        return model;
    }

    // Beside the encoder: a tensor of the generator before and after it, and a buffer that is no weight.
    private string Generator(string name, string prefix, bool isTransformers, ClipModel model, torch.ScalarType type) =>
        Write(
            name,
            prefix == HuggingFaceKeys.Text
                ? Encoder(prefix, isTransformers, model)
                : Encoder(prefix, isTransformers, model)
                    .Append(new("a.first", torch.arange(5, dtype: torch.int64)))
                    .Append(new("zz.last", torch.ones([3], dtype: torch.bfloat16)))
                    .Append(new(prefix + "embeddings.position_ids", torch.arange(20, dtype: torch.int64))),
            type
        );

    private static IEnumerable<KeyValuePair<string, torch.Tensor>> Encoder(string prefix, bool isTransformers, ClipModel model)
    {
        foreach (var (key, weight) in model.PlainStateDict())
        {
            if (key.StartsWith("visual.", StringComparison.Ordinal) || key is "logit_scale" or "text_projection")
            {
                continue;
            }

            string[] names = isTransformers
                ? [.. HuggingFaceKeys.FromOpenAi(key).Select(name => prefix + name[HuggingFaceKeys.Text.Length..])]
                : [prefix + key];
            foreach (var (name, part) in names.Zip(weight.chunk(names.Length)))
            {
                yield return new(name, part);
            }
        }
    }

    private string Write(string name, IEnumerable<KeyValuePair<string, torch.Tensor>> tensors, torch.ScalarType type)
    {
        SafetensorsWriter.Write(
            _folder.File(name),
            tensors.ToDictionary(
                tensor => tensor.Key,
                tensor => tensor.Value.dtype == torch.float32 ? tensor.Value.to(type).contiguous() : tensor.Value,
                StringComparer.Ordinal
            ),
            new Dictionary<string, string> { ["modelspec.title"] = "a generator" }
        );
        return _folder.File(name);
    }

    private static void RequireOnlyTextChanged(string before, string after, string prefix)
    {
        var (old, @new) = (File.ReadAllBytes(before), File.ReadAllBytes(after));
        @new.Length.ShouldBe(old.Length);
        using var file = SafetensorsFile.Open(before);
        var text = file
            .Entries.Values.Where(entry =>
                entry.Name.StartsWith(prefix, StringComparison.Ordinal) && !entry.Name.EndsWith("position_ids", StringComparison.Ordinal)
            )
            .ToList();
        foreach (var entry in text)
        {
            old.AsSpan((int)entry.Offset, (int)entry.Length).Clear();
            @new.AsSpan((int)entry.Offset, (int)entry.Length).Clear();
        }

        @new.ShouldBe(old);
    }

    private string WithVision(string encoder, string model)
    {
        using var checkpoint = ClipCheckpoint.Open(encoder, vision: model);
        checkpoint.SaveAs(_folder.File("whole.safetensors"));
        return _folder.File("whole.safetensors");
    }
}
