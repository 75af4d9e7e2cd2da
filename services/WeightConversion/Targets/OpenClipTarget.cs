using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Imaging.Resizing;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion.Targets;

/// <summary>A folder of open_clip: OpenAI's keys and a configuration.</summary>
public sealed record OpenClipTarget() : ConversionTarget("open-clip", "open_clip (local-dir:PATH)")
{
    /// <summary>The configuration's file.</summary>
    public const string DescriptionName = "open_clip_config.json";

    /// <summary>The configuration as text: sizes, activation and preprocessing of weights under OpenAI's keys.</summary>
    public static string Describe(ClipArchitecture architecture) => JsonDescription.Text(Configuration(architecture));

    public override bool IsOf(ClipFamily family) => family.HasOpenAiKeys;

    public override IReadOnlyList<string> Loadable => ["open_clip"];

    public override void Write(ConversionMaterial material, string folder)
    {
        var target = Directory.CreateDirectory(Path.Combine(folder, Loadable[0])).FullName;
        TensorSink.Safetensors(Path.Combine(target, "open_clip_model.safetensors"), material.OpenAi(), material);
        JsonDescription.Write(target, DescriptionName, Configuration(material.Architecture));
    }

    private static JsonObject Configuration(ClipArchitecture a) =>
        new()
        {
            ["model_cfg"] = new JsonObject
            {
                ["embed_dim"] = a.EmbedDim,
                ["quick_gelu"] = a.Activation == MlpActivation.QuickGelu,
                ["vision_cfg"] = Vision(a),
                ["text_cfg"] = Text(a),
            },
            ["preprocess_cfg"] = new JsonObject
            {
                ["mean"] = new JsonArray([.. PixelNormalization.OpenAi.Mean.Select(mean => (JsonNode)mean)]),
                ["std"] = new JsonArray([.. PixelNormalization.OpenAi.Deviation.Select(deviation => (JsonNode)deviation)]),
                ["interpolation"] = "bicubic",
                ["resize_mode"] = a.Fit == ImageFit.Squash ? "squash" : "shortest",
            },
        };

    private static JsonObject Vision(ClipArchitecture a)
    {
        var vision = new JsonObject
        {
            ["image_size"] = a.ImageResolution,
            ["layers"] = a.VisionLayers,
            ["width"] = a.VisionWidth,
            ["patch_size"] = a.PatchSize,
        };
        // open_clip's default, and what a tower narrower than that has.
        if (
            a.VisionWidth != a.VisionHeads * ClipArchitecture.HeadWidth
            && (a.VisionHeads > 1 || a.VisionWidth > ClipArchitecture.HeadWidth)
        )
        {
            vision["head_width"] = a.VisionWidth / a.VisionHeads;
        }

        return WithMlp(vision, a.VisionWidth, a.VisionNeurons, a.Activation);
    }

    private static JsonObject Text(ClipArchitecture a)
    {
        var text = new JsonObject
        {
            ["context_length"] = a.ContextLength,
            ["vocab_size"] = a.VocabularySize,
            ["width"] = a.TextWidth,
            ["heads"] = a.TextHeads,
            ["layers"] = a.TextLayers,
        };
        if (a.Family == ClipFamily.MetaClip2)
        {
            text["hf_tokenizer_name"] = XlmTokenizer.Repository;
            text["pool_type"] = "eos";
            text["eos_id"] = a.Family.MarksOf(a.VocabularySize).End;
        }

        return WithMlp(text, a.TextWidth, a.TextNeurons, a.Activation);
    }

    private static JsonObject WithMlp(JsonObject tower, int width, int neurons, MlpActivation activation)
    {
        if (neurons != 4 * width)
        {
            // open_clip multiplies and rounds down; the next number above makes sure of it.
            tower["mlp_ratio"] = Math.BitIncrement((double)neurons / width);
        }

        if (activation == MlpActivation.TanhGelu)
        {
            tower["act_kwargs"] = new JsonObject { ["approximate"] = "tanh" };
        }

        return tower;
    }
}
