using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Resizing;
using ClipSae.TestKit.Files;

namespace ClipSae.Clip.Tests;

/// <summary>
/// The models that people have, by names and shapes of their tensors and by what lies beside them: only the header of each file is there,
/// not its gigabytes. Sizes are those of open_clip's model_configs and of the papers; parameters are what open_clip's model_profile.csv
/// counts.
/// </summary>
public sealed class KnownModelsTests : IDisposable
{
    private static readonly Known[] Models =
    [
        new("OpenAI ViT-B/32", new(512, 224, 12, 768, 32, 77, 49408, 512, 12), 12, 8, 3072, MlpActivation.QuickGelu, 151.28),
        new("OpenAI ViT-B/16", new(512, 224, 12, 768, 16, 77, 49408, 512, 12), 12, 8, 3072, MlpActivation.QuickGelu, 149.62),
        new("OpenAI ViT-L/14", new(768, 224, 24, 1024, 14, 77, 49408, 768, 12), 16, 12, 4096, MlpActivation.QuickGelu, 427.62),
        new("OpenAI ViT-L/14@336", new(768, 336, 24, 1024, 14, 77, 49408, 768, 12), 16, 12, 4096, MlpActivation.QuickGelu, 427.94),
        new("LAION and DataComp ViT-B/32", new(512, 224, 12, 768, 32, 77, 49408, 512, 12), 12, 8, 3072, MlpActivation.Gelu, 151.28),
        new("LAION and DataComp ViT-L/14", new(768, 224, 24, 1024, 14, 77, 49408, 768, 12), 16, 12, 4096, MlpActivation.Gelu, 427.62),
        new("LAION ViT-H/14", new(1024, 224, 32, 1280, 14, 77, 49408, 1024, 24), 16, 16, 5120, MlpActivation.Gelu, 986.11),
        new("LAION ViT-g/14", new(1024, 224, 40, 1408, 14, 77, 49408, 1024, 24), 16, 16, 6144, MlpActivation.Gelu, 1366.68),
        new("LAION ViT-bigG/14", new(1280, 224, 48, 1664, 14, 77, 49408, 1280, 32), 16, 20, 8192, MlpActivation.Gelu, 2539.57),
        new("MetaCLIP ViT-B/16", new(512, 224, 12, 768, 16, 77, 49408, 512, 12), 12, 8, 3072, MlpActivation.QuickGelu, 149.62),
        new("MetaCLIP and DFN ViT-H/14", new(1024, 224, 32, 1280, 14, 77, 49408, 1024, 24), 16, 16, 5120, MlpActivation.QuickGelu, 986.11),
        new("DFN ViT-H/14@378", new(1024, 378, 32, 1280, 14, 77, 49408, 1024, 24), 16, 16, 5120, MlpActivation.QuickGelu, null),
    ];

    // Sizes and vocabularies of transformers' convert_siglip_to_hf.py; heads are 16 wherever they are not 64 wide.
    private static readonly Known[] SigLips =
    [
        SigLip("SigLIP B/16-224", 768, 12, 16, 224, 768, 12, 3072, 32000, 203.16),
        SigLip("SigLIP L/16-256", 1024, 24, 16, 256, 1024, 16, 4096, 32000, 652.15),
        SigLip("SigLIP So400m/14-384", 1152, 27, 14, 384, 1152, 16, 4304, 32000, 877.96),
        SigLip("SigLIP B/16-256 of many languages", 768, 12, 16, 256, 768, 12, 3072, 250000, 370.63),
        SigLip("SigLIP 2 B/16-224", 768, 12, 16, 224, 768, 12, 3072, 256000, 375.19),
        SigLip("SigLIP 2 L/16-256", 1024, 24, 16, 256, 1024, 16, 4096, 256000, 881.53),
        SigLip("SigLIP 2 So400m/14-384", 1152, 27, 14, 384, 1152, 16, 4304, 256000, null),
        SigLip("SigLIP 2 g-opt/16-256", 1536, 40, 16, 256, 1152, 16, 6144, 256000, 1871.39),
    ];

    // MetaCLIP's own model_configs (a part of them), and the hidden_act of transformers' convert_metaclip_2_to_hf.py.
    private static readonly Known[] Worldwide =
    [
        new("MetaCLIP 2 ViT-S/16", new(384, 224, 12, 384, 16, 77, 901629, 384, 12), 6, 6, 1536, MlpActivation.Gelu, null),
        new("MetaCLIP 2 ViT-B/16@384", new(512, 384, 12, 768, 16, 77, 901629, 512, 12), 12, 8, 3072, MlpActivation.Gelu, null),
        new("MetaCLIP 2 ViT-L/14", new(768, 224, 24, 1024, 14, 77, 901629, 768, 12), 16, 12, 4096, MlpActivation.Gelu, null),
        new("MetaCLIP 2 ViT-H/14", new(1024, 224, 32, 1280, 14, 77, 901629, 1024, 24), 16, 16, 5120, MlpActivation.QuickGelu, null),
        new("MetaCLIP 2 ViT-H/14@378", new(1024, 378, 32, 1280, 14, 77, 901629, 1024, 24), 16, 16, 5120, MlpActivation.Gelu, null),
        new("MetaCLIP 2 ViT-bigG/14@378", new(1280, 378, 48, 1664, 14, 77, 901629, 1280, 32), 16, 20, 8192, MlpActivation.Gelu, null),
    ];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => [.. Models.Select(model => model.Name)];

    public static TheoryData<string> SigLipNames => [.. SigLips.Select(model => model.Name)];

    public static TheoryData<string> WorldwideNames => [.. Worldwide.Select(model => model.Name)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void Widths_heads_layers_and_activation_are_the_models(string name)
    {
        var model = Models.Single(known => known.Name == name);
        var expected = model.Sizes with
        {
            Activation = model.Activation,
            VisionHeads = model.VisionHeads,
            TextHeads = model.TextHeads,
            VisionNeurons = model.VisionNeurons,
        };
        if (model.Millions is { } millions)
        {
            (ClipKeys.Shapes(expected).Sum(shape => shape.Value.Aggregate(1L, (product, size) => product * size)) / 1e6).ShouldBe(
                millions,
                0.005
            );
        }

        WriteHeader("open_clip_model.safetensors", ClipKeys.Shapes(expected));
        RequireBare(model, expected);
        WriteJson("open_clip_config.json", OpenClip(model));
        Read().ShouldBe((expected, false));
        File.Delete(At("open_clip_config.json"));
        File.Delete(At("open_clip_model.safetensors"));

        WriteTransformersHeader(expected, OfTransformers);
        WriteJson("config.json", Transformers(model));
        Read().ShouldBe((expected, false));
    }

    // As the hub has them: what equals a default is left out of config.json, in the base models all of it.
    [Theory]
    [MemberData(nameof(SigLipNames))]
    public void Sizes_heads_and_pictures_of_a_SigLIP_are_the_models(string name)
    {
        var model = SigLips.Single(known => known.Name == name);
        var (a, filter) = (model.Sizes, model.Sizes.VocabularySize == 256000 ? ResizeFilter.Bilinear : ResizeFilter.Bicubic);
        if (model.Millions is { } millions)
        {
            (ClipKeys.Shapes(a).Sum(shape => shape.Value.Aggregate(1L, (product, size) => product * size)) / 1e6).ShouldBe(millions, 0.005);
        }

        (a.Preparation.Fit, a.Preparation.Filter, a.Preparation.Normalization).ShouldBe(
            (ImageFit.Squash, filter, PixelNormalization.Halves)
        );
        WriteTransformersHeader(a, SigLipOfTransformers);
        if (a.VisionWidth > 1024)
        {
            Should
                .Throw<UserErrorException>(() => Read())
                .Message.ShouldContain(
                    "nothing says how many heads they have and how many pixels it takes: put its config.json next to it"
                );
        }
        else
        {
            Read().ShouldBe((a, false));
        }

        WriteJson("config.json", SigLipConfig(a));
        Read().ShouldBe((a, false));
        var bilinear = a with { Filter = ResizeFilter.Bilinear };
        WriteJson(
            "preprocessor_config.json",
            new JsonObject
            {
                ["image_processor_type"] = "SiglipImageProcessor",
                ["image_mean"] = new JsonArray(0.5, 0.5, 0.5),
                ["resample"] = 2,
                ["size"] = new JsonObject { ["height"] = a.ImageResolution, ["width"] = a.ImageResolution },
            }
        );
        Read().ShouldBe((bilinear, false));
    }

    [Theory]
    [InlineData("config.json", """{"model_type":"clip"}""", "'model_type' is clip")]
    [InlineData(
        "config.json",
        """{"vision_config":{"image_size":256}}""",
        "'vision_config.image_size' is 256, but the weights have 14 patches of 16 pixels a side"
    )]
    [InlineData("config.json", """{"vision_config":{"vision_use_head":false}}""", "'vision_config.vision_use_head' is false")]
    [InlineData("config.json", """{"text_config":{"layer_norm_eps":1e-5}}""", "'text_config.layer_norm_eps' is 1e-5")]
    [InlineData("config.json", """{"text_config":{"num_attention_heads":7}}""", "7 heads do not divide a width of 768")]
    [InlineData("config.json", """{"text_config":{"vocab_size":256000}}""", "describes another model")]
    [InlineData("preprocessor_config.json", """{"image_mean":[0.48145466,0.4578275,0.40821073]}""", "'image_mean' is")]
    [InlineData("preprocessor_config.json", """{"do_center_crop":true}""", "nothing is cut off")]
    [InlineData("preprocessor_config.json", """{"resample":1}""", "only 2 (bilinear) and 3 (bicubic) are supported")]
    [InlineData("preprocessor_config.json", """{"size":{"shortest_edge":224}}""", "only height and width 224 is supported")]
    public void A_description_that_is_not_the_SigLIPs_is_refused_by_its_key(string file, string description, string message)
    {
        WriteTransformersHeader(SigLips[0].Sizes, SigLipOfTransformers);
        File.WriteAllText(At(file), description);

        var refusal = Should.Throw<UserErrorException>(() => Read()).Message;
        refusal.ShouldContain(message);
        refusal.ShouldNotContain("\n");
    }

    // XLM-V's vocabulary tells them from a CLIP; which activation it was, a bare file cannot.
    [Theory]
    [MemberData(nameof(WorldwideNames))]
    public void Sizes_heads_and_family_of_a_MetaCLIP_2_are_the_models(string name)
    {
        var model = Worldwide.Single(known => known.Name == name);
        var expected = model.Sizes with
        {
            Family = ClipFamily.MetaClip2,
            Activation = model.Activation,
            VisionHeads = model.VisionHeads,
            TextHeads = model.TextHeads,
            VisionNeurons = model.VisionNeurons,
        };
        WriteHeader("open_clip_model.safetensors", ClipKeys.Shapes(expected));
        Should
            .Throw<UserErrorException>(() => Read())
            .Message.ShouldContain("is a MetaCLIP 2, and nothing says which activation and how many heads it was trained with");
        using (var named = ClipCheckpoint.Open(_folder.Path, named: new ModelTraits(model.Activation, model.VisionHeads, model.TextHeads)))
        {
            named.Architecture.ShouldBe(expected);
        }

        var description = OpenClip(model);
        var text = description["model_cfg"]!["text_cfg"]!.AsObject();
        (text["hf_tokenizer_name"], text["pool_type"], text["eos_id"]) = ("facebook/xlm-v-base", "eos", 2);
        WriteJson("open_clip_config.json", description);
        Read().ShouldBe((expected, false));
        description["preprocess_cfg"] = new JsonObject { ["size"] = expected.ImageResolution, ["resize_mode"] = "squash" };
        WriteJson("open_clip_config.json", description);
        Read().ShouldBe((expected with { Fit = ImageFit.Squash }, false));
        File.Delete(At("open_clip_config.json"));
        File.Delete(At("open_clip_model.safetensors"));

        WriteTransformersHeader(expected, OfTransformers);
        WriteJson("config.json", TransformersWorldwide(model));
        Read().ShouldBe((expected, false));
        // As transformers' conversion writes it: both sides are named, so that both are resized.
        WriteJson(
            "preprocessor_config.json",
            new JsonObject
            {
                ["image_processor_type"] = "CLIPImageProcessor",
                ["do_center_crop"] = true,
                ["size"] = new JsonObject { ["height"] = expected.ImageResolution, ["width"] = expected.ImageResolution },
                ["crop_size"] = new JsonObject { ["height"] = expected.ImageResolution, ["width"] = expected.ImageResolution },
            }
        );
        Read().ShouldBe((expected with { Fit = ImageFit.Squash }, false));
    }

    [Theory]
    [InlineData("""{"model_type":"clip"}""", "'model_type' is clip; only metaclip_2")]
    [InlineData("""{"model_type":"metaclip_2","text_config":{"vocab_size":901629,"eos_token_id":49407}}""", "only XLM-V's end of text (2)")]
    [InlineData("""{"model_type":"metaclip_2","text_config":{"vocab_size":901629}}""", "'text_config.eos_token_id' is absent")]
    [InlineData(
        """{"model_type":"metaclip_2","text_config":{"model_type":"clip_text_model"}}""",
        "'text_config.model_type' is clip_text_model"
    )]
    public void A_description_that_is_not_the_MetaCLIP_2s_is_refused_by_its_key(string description, string message)
    {
        WriteTransformersHeader(Worldwide[0].Sizes, OfTransformers);
        File.WriteAllText(At("config.json"), description);

        Should.Throw<UserErrorException>(() => Read()).Message.ShouldContain(message);
    }

    // mT5's vocabulary ends texts in another id again.
    [Fact]
    public void Other_CLIPs_of_many_languages_are_refused_by_their_vocabulary()
    {
        var l14 = Models.Single(known => known.Name == "LAION and DataComp ViT-L/14");
        var mT5 = l14.Sizes with { VocabularySize = 250100 };
        WriteHeader("open_clip_model.safetensors", ClipKeys.Shapes(mT5));
        // Whoever names what a bare file does not say would get features that look right.
        Should
            .Throw<UserErrorException>(() => ClipCheckpoint.Open(_folder.Path, named: new ModelTraits(MlpActivation.QuickGelu, 16, 16)))
            .Message.ShouldContain("has a vocabulary of 250100 tokens, like mT5's");
        var description = OpenClip(l14 with { Sizes = mT5 });
        var text = description["model_cfg"]!["text_cfg"]!.AsObject();
        (text["hf_tokenizer_name"], text["pool_type"], text["eos_id"]) = ("google/mt5-base", "eos", 1);
        WriteJson("open_clip_config.json", description);

        Should
            .Throw<UserErrorException>(() => Read())
            .Message.ShouldContain("'model_cfg.text_cfg.hf_tokenizer_name' is google/mt5-base; only facebook/xlm-v-base is supported");
    }

    // Sizes alone: OpenAI's are taken for what they are in most cases, and the program says so; those that OpenAI has none of are asked
    // for.
    private void RequireBare(Known model, ClipArchitecture expected)
    {
        if (model.Sizes.VisionWidth > 1024)
        {
            var message = Should.Throw<UserErrorException>(() => Read()).Message;
            message.ShouldContain($"--activation gelu --heads {model.VisionHeads},{model.TextHeads}");
            message.ShouldNotContain("\n");
        }
        else
        {
            Read().ShouldBe((expected with { Activation = MlpActivation.QuickGelu }, true));
        }

        using var named = ClipCheckpoint.Open(_folder.Path, named: new ModelTraits(model.Activation, model.VisionHeads, model.TextHeads));
        (named.Architecture, named.IsActivationAssumed).ShouldBe((expected, false));
    }

    private (ClipArchitecture, bool) Read()
    {
        using var checkpoint = ClipCheckpoint.Open(_folder.Path);
        return (checkpoint.Architecture, checkpoint.IsActivationAssumed);
    }

    // As open_clip's model_configs have them: heads that are 64 wide and MLPs that are 4 times as wide are left out.
    private static JsonObject OpenClip(Known model)
    {
        var a = model.Sizes;
        var vision = new JsonObject
        {
            ["image_size"] = a.ImageResolution,
            ["layers"] = a.VisionLayers,
            ["width"] = a.VisionWidth,
            ["patch_size"] = a.PatchSize,
        };
        if (a.VisionWidth != 64 * model.VisionHeads)
        {
            vision["head_width"] = a.VisionWidth / model.VisionHeads;
        }

        if (model.VisionNeurons != 4 * a.VisionWidth)
        {
            vision["mlp_ratio"] = a.VisionWidth == 1408 ? 4.3637 : 4.9231;
        }

        var text = new JsonObject
        {
            ["context_length"] = a.ContextLength,
            ["vocab_size"] = a.VocabularySize,
            ["width"] = a.TextWidth,
            ["heads"] = model.TextHeads,
            ["layers"] = a.TextLayers,
        };
        var all = new JsonObject
        {
            ["embed_dim"] = a.EmbedDim,
            ["vision_cfg"] = vision,
            ["text_cfg"] = text,
        };
        if (model.Activation == MlpActivation.QuickGelu)
        {
            all["quick_gelu"] = true;
        }

        return new JsonObject { ["model_cfg"] = all };
    }

    private static JsonObject Transformers(Known model)
    {
        var a = model.Sizes;
        JsonObject Tower(int width, int layers, int heads, int neurons) =>
            new()
            {
                ["hidden_size"] = width,
                ["num_hidden_layers"] = layers,
                ["num_attention_heads"] = heads,
                ["intermediate_size"] = neurons,
                ["hidden_act"] = model.Activation.Name,
            };
        var (vision, text) = (
            Tower(a.VisionWidth, a.VisionLayers, model.VisionHeads, model.VisionNeurons),
            Tower(a.TextWidth, a.TextLayers, model.TextHeads, 4 * a.TextWidth)
        );
        (vision["image_size"], vision["patch_size"]) = (a.ImageResolution, a.PatchSize);
        return new JsonObject
        {
            ["model_type"] = "clip",
            ["projection_dim"] = a.EmbedDim,
            ["vision_config"] = vision,
            ["text_config"] = text,
        };
    }

    private static JsonObject TransformersWorldwide(Known model)
    {
        var config = Transformers(model);
        config["model_type"] = "metaclip_2";
        (config["text_config"]!["vocab_size"], config["text_config"]!["eos_token_id"]) = (model.Sizes.VocabularySize, 2);
        return config;
    }

    private static Known SigLip(
        string name,
        int width,
        int layers,
        int patch,
        int side,
        int textWidth,
        int heads,
        int neurons,
        int vocabulary,
        double? millions
    )
    {
        var (textLayers, textNeurons) = textWidth switch
        {
            768 => (12, 3072),
            1024 => (24, 4096),
            _ => (27, 4304),
        };
        var sizes = new ClipArchitecture(width, side, layers, width, patch, 64, vocabulary, textWidth, textLayers)
        {
            Family = ClipFamily.SigLip,
            VisionHeads = heads,
            TextHeads = heads,
            VisionNeurons = neurons,
            TextNeurons = textNeurons,
        };
        return new Known(name, sizes, heads, heads, neurons, MlpActivation.TanhGelu, millions);
    }

    private static JsonObject SigLipConfig(ClipArchitecture a)
    {
        static JsonObject Tower(string type, params (string Key, int Value, int Default)[] entries) =>
            new([
                new("model_type", type),
                .. entries
                    .Where(entry => entry.Value != entry.Default)
                    .Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value)),
            ]);
        var text = Tower(
            "siglip_text_model",
            ("hidden_size", a.TextWidth, 768),
            ("intermediate_size", a.TextNeurons, 3072),
            ("num_hidden_layers", a.TextLayers, 12),
            ("num_attention_heads", a.TextHeads, 12),
            ("vocab_size", a.VocabularySize, 32000),
            ("projection_size", a.EmbedDim, a.TextWidth)
        );
        var vision = Tower(
            "siglip_vision_model",
            ("hidden_size", a.VisionWidth, 768),
            ("intermediate_size", a.VisionNeurons, 3072),
            ("num_hidden_layers", a.VisionLayers, 12),
            ("num_attention_heads", a.VisionHeads, 12),
            ("image_size", a.ImageResolution, 224),
            ("patch_size", a.PatchSize, 16)
        );
        return new JsonObject
        {
            ["model_type"] = "siglip",
            ["text_config"] = text,
            ["vision_config"] = vision,
        };
    }

    // The head's attention is in one piece there, and scale and bias are lists.
    private static long[] SigLipOfTransformers(KeyValuePair<string, long[]> shape) =>
        shape.Value.Length == 0 ? [1]
        : shape.Key.Contains("in_proj_", StringComparison.Ordinal) && !shape.Key.StartsWith(ClipKeys.Head, StringComparison.Ordinal)
            ? [shape.Value[0] / 3, .. shape.Value[1..]]
        : shape.Value;

    private static long[] OfTransformers(KeyValuePair<string, long[]> shape) =>
        HuggingFaceKeys.IsTransposed(shape.Key) ? [.. shape.Value.Reverse()]
        : shape.Key.Contains("in_proj_", StringComparison.Ordinal) ? [shape.Value[0] / 3, .. shape.Value[1..]]
        : shape.Value;

    private void WriteTransformersHeader(ClipArchitecture sizes, Func<KeyValuePair<string, long[]>, long[]> shapeOf) =>
        WriteHeader(
            "model.safetensors",
            ClipKeys
                .Shapes(sizes)
                .SelectMany(shape => HuggingFaceKeys.FromOpenAi(shape.Key).Select(key => KeyValuePair.Create(key, shapeOf(shape))))
        );

    private void WriteHeader(string name, IEnumerable<KeyValuePair<string, long[]>> shapes)
    {
        long at = 0;
        var header = new JsonObject();
        foreach (var (key, shape) in shapes)
        {
            var end = at + (2 * shape.Aggregate(1L, (product, size) => product * size));
            header[key] = new JsonObject
            {
                ["dtype"] = "F16",
                ["shape"] = new JsonArray([.. shape.Select(size => (JsonNode)size)]),
                ["data_offsets"] = new JsonArray(at, end),
            };
            at = end;
        }

        var text = JsonSerializer.SerializeToUtf8Bytes(header);
        using var file = File.Create(At(name));
        file.Write(BitConverter.GetBytes((long)text.Length));
        file.Write(text);
        file.SetLength(8 + text.Length + at); // a hole: no block of the disk is taken
    }

    private void WriteJson(string name, JsonObject description) => File.WriteAllText(At(name), description.ToJsonString());

    private string At(string name) => _folder.File(name);

    private sealed record Known(
        string Name,
        ClipArchitecture Sizes,
        int VisionHeads,
        int TextHeads,
        int VisionNeurons,
        MlpActivation Activation,
        double? Millions
    );
}
