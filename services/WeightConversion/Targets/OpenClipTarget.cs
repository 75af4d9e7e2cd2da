using System.Text.Json.Nodes;
using ClipSae.Clip;

namespace ClipSae.WeightConversion;

/// <summary>A folder of open_clip: OpenAI's keys and a configuration with QuickGELU.</summary>
public sealed record OpenClipTarget() : ConversionTarget("open-clip", "open_clip (local-dir:PATH)")
{
    /// <summary>The configuration's file.</summary>
    public const string DescriptionName = "open_clip_config.json";

    /// <summary>The configuration as text: sizes, activation and preprocessing of weights under OpenAI's keys.</summary>
    public static string Describe(ClipArchitecture architecture) => JsonDescription.Text(Configuration(architecture));

    public override IReadOnlyList<string> Loadable => ["open_clip"];

    public override void Write(ConversionMaterial material, string folder)
    {
        var target = Directory.CreateDirectory(Path.Combine(folder, Loadable[0])).FullName;
        TensorSink.Safetensors(Path.Combine(target, "open_clip_model.safetensors"), material.OpenAi(), material);
        JsonDescription.Write(target, DescriptionName, Configuration(material.Architecture));
    }

    private static JsonObject Configuration(ClipArchitecture a) => new()
    {
        ["model_cfg"] = new JsonObject
        {
            ["embed_dim"] = a.EmbedDim,
            ["quick_gelu"] = true,
            ["vision_cfg"] = new JsonObject { ["image_size"] = a.ImageResolution, ["layers"] = a.VisionLayers, ["width"] = a.VisionWidth, ["patch_size"] = a.PatchSize },
            ["text_cfg"] = new JsonObject
            {
                ["context_length"] = a.ContextLength,
                ["vocab_size"] = a.VocabularySize,
                ["width"] = a.TextWidth,
                ["heads"] = a.TextHeads,
                ["layers"] = a.TextLayers,
            },
        },
        ["preprocess_cfg"] = new JsonObject
        {
            ["mean"] = new JsonArray([.. PixelNormalization.Mean.Select(mean => (JsonNode)mean)]),
            ["std"] = new JsonArray([.. PixelNormalization.Deviation.Select(deviation => (JsonNode)deviation)]),
            ["interpolation"] = "bicubic",
            ["resize_mode"] = "shortest",
        },
    };
}
