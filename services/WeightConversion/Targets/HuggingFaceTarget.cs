using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Imaging.Resizing;
using ClipSae.Tensors;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion.Targets;

/// <summary>A folder of <c>transformers</c>' CLIPModel, MetaClip2Model or SiglipModel, with its tokenizer and preprocessing.</summary>
public sealed record HuggingFaceTarget()
    : ConversionTarget("huggingface", "transformers (CLIPModel.from_pretrained), diffusers, and what reads their folders")
{
    /// <summary>The weights' file in the folder.</summary>
    internal const string WeightsName = "model.safetensors";

    private const double LayerNormEpsilon = 1e-5;

    /// <summary>CLIPImageProcessor's number for Pillow's bicubic.</summary>
    private const int Bicubic = 3;

    public override bool NeedsTokenizer => true;

    public override bool IsOf(ClipFamily family) => true;

    public override IReadOnlyList<string> Loadable => ["huggingface"];

    public override int Tensors(PlainWeights weights) => weights.Shapes.Sum(weight => HuggingFaceKeys.FromOpenAi(weight.Key).Count);

    public override void Write(ConversionMaterial material, string folder)
    {
        var tokenizer = Tokenizer(material);
        var target = Directory.CreateDirectory(Path.Combine(folder, Loadable[0])).FullName;
        if (material.Architecture.Family == ClipFamily.SigLip)
        {
            // A run continues with this file, and reads there where it comes from.
            var metadata = material.Weights.Metadata.Where(entry => entry.Key != "keys").ToDictionary(StringComparer.Ordinal);
            metadata["format"] = "pt";
            TensorSink.Safetensors(Path.Combine(target, WeightsName), material.HuggingFace(), material, metadata);
            JsonDescription.Write(target, "config.json", HuggingFaceSigLip.Configuration(material.Architecture, material.Dtype));
            JsonDescription.Write(target, "preprocessor_config.json", HuggingFaceSigLip.Preprocessing(material.Architecture.Preparation));
            HuggingFaceSigLip.WriteTokenizer(target, tokenizer, material.Architecture.ContextLength);
            return;
        }

        TensorSink.Safetensors(Path.Combine(target, WeightsName), material.HuggingFace(), material);
        JsonDescription.Write(target, "preprocessor_config.json", Preprocessing(material.Architecture));
        if (material.Architecture.Family == ClipFamily.MetaClip2)
        {
            JsonDescription.Write(
                target,
                "config.json",
                Configuration(material.Architecture, "MetaClip2Model", "metaclip_2", material.Dtype)
            );
            HuggingFaceXlm.WriteTokenizer(target, tokenizer, material.Architecture.ContextLength);
            return;
        }

        var pairs =
            tokenizer as BytePairTokenizer
            ?? throw new UserErrorException(
                "the vocabulary is that of a SigLIP or a MetaCLIP 2, and the model is a CLIP: name its own vocabulary with --tokenizer"
            );
        JsonDescription.Write(target, "config.json", Configuration(material.Architecture, "CLIPModel", "clip", material.Dtype));
        WriteTokenizer(target, pairs, material.Architecture.ContextLength);
    }

    private static JsonObject Configuration(ClipArchitecture a, string model, string type, Precision dtype) =>
        new()
        {
            ["architectures"] = new JsonArray(model),
            ["model_type"] = type,
            ["projection_dim"] = a.EmbedDim,
            ["logit_scale_init_value"] = 2.6592,
            ["torch_dtype"] = HuggingFaceParts.NameOf(dtype),
            ["text_config"] = new JsonObject([
                .. HuggingFaceParts.Text($"{type}_text_model", a, a.EmbedDim, LayerNormEpsilon),
                new("bos_token_id", a.Family.MarksOf(a.VocabularySize).Start),
                // Never 2 in a CLIP, the old default: it selects a legacy pooling.
                new("eos_token_id", a.Family.MarksOf(a.VocabularySize).End),
                new("pad_token_id", 1),
            ]),
            ["vision_config"] = HuggingFaceParts.Vision($"{type}_vision_model", a, a.EmbedDim, LayerNormEpsilon),
        };

    private static JsonObject Preprocessing(ClipArchitecture a) =>
        new([
            new("image_processor_type", "CLIPImageProcessor"),
            new("do_convert_rgb", true),
            new("do_resize", true),
            new(
                "size",
                a.Fit == ImageFit.Squash
                    ? HuggingFaceParts.Sides(a.ImageResolution)
                    : new JsonObject { ["shortest_edge"] = a.ImageResolution }
            ),
            new("resample", Bicubic),
            new("do_center_crop", true),
            new("crop_size", HuggingFaceParts.Sides(a.ImageResolution)),
            .. HuggingFaceParts.Scaling(PixelNormalization.OpenAi),
        ]);

    private static void WriteTokenizer(string folder, BytePairTokenizer tokenizer, int context)
    {
        var symbols = tokenizer.Vocabulary.OrderBy(symbol => symbol.Value).ToList();
        var (start, end) = (symbols[^2].Key, symbols[^1].Key);
        JsonDescription.Write(
            folder,
            "vocab.json",
            new JsonObject(symbols.Select(symbol => KeyValuePair.Create(symbol.Key, (JsonNode?)symbol.Value)))
        );
        AtomicFile.Write(
            Path.Combine(folder, "merges.txt"),
            System.Text.Encoding.UTF8.GetBytes(
                string.Concat(tokenizer.Merges.Select(merge => $"{merge.Left} {merge.Right}\n").Prepend("#version: 0.2\n"))
            )
        );
        JsonDescription.Write(folder, "special_tokens_map.json", Special(start, end));
        var configuration = Special(start, end);
        configuration["tokenizer_class"] = "CLIPTokenizer";
        configuration["model_max_length"] = context;
        configuration["do_lower_case"] = true;
        configuration["add_prefix_space"] = false;
        configuration["errors"] = "replace";
        JsonDescription.Write(folder, "tokenizer_config.json", configuration);
    }

    private static JsonObject Special(string start, string end) =>
        new()
        {
            ["bos_token"] = start,
            ["eos_token"] = end,
            ["unk_token"] = end,
            ["pad_token"] = end,
        };
}
