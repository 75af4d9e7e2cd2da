using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Tensors;

namespace ClipSae.WeightConversion.Targets;

/// <summary>Members that <c>transformers</c>' configurations of CLIP and SigLIP share, in the order in which both have them.</summary>
internal static class HuggingFaceParts
{
    /// <summary>A precision as transformers names it.</summary>
    public static string NameOf(Precision dtype) =>
        dtype switch
        {
            Precision.Float16 => "float16",
            Precision.Bfloat16 => "bfloat16",
            _ => "float32",
        };

    /// <summary>The text tower without its vocabulary's special tokens.</summary>
    /// <param name="projection">Width of the projection, where a tower names it; null where it does not.</param>
    public static IEnumerable<KeyValuePair<string, JsonNode?>> Text(string type, ClipArchitecture a, int? projection, double epsilon) =>
        [
            .. Tower(type, a.TextWidth, a.TextHeads, a.TextNeurons, a.TextLayers, a.Activation, projection, epsilon),
            new("max_position_embeddings", a.ContextLength),
            new("vocab_size", a.VocabularySize),
        ];

    public static JsonObject Vision(string type, ClipArchitecture a, int? projection, double epsilon) =>
        new([
            .. Tower(type, a.VisionWidth, a.VisionHeads, a.VisionNeurons, a.VisionLayers, a.Activation, projection, epsilon),
            new("image_size", a.ImageResolution),
            new("patch_size", a.PatchSize),
            new("num_channels", 3),
        ]);

    /// <summary>From 8 bits to what the model sees.</summary>
    public static IEnumerable<KeyValuePair<string, JsonNode?>> Scaling(PixelNormalization normalization) =>
        [
            new("do_rescale", true),
            new("rescale_factor", 1.0 / 255),
            new("do_normalize", true),
            new("image_mean", new JsonArray([.. normalization.Mean.Select(mean => (JsonNode)mean)])),
            new("image_std", new JsonArray([.. normalization.Deviation.Select(deviation => (JsonNode)deviation)])),
        ];

    public static JsonObject Sides(int side) => new() { ["height"] = side, ["width"] = side };

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Tower(
        string type,
        int width,
        int heads,
        int neurons,
        int layers,
        MlpActivation activation,
        int? projection,
        double epsilon
    ) =>
        [
            new("model_type", type),
            new("hidden_size", width),
            new("intermediate_size", neurons),
            new("num_attention_heads", heads),
            new("num_hidden_layers", layers),
            .. projection is { } dimension ? [new("projection_dim", dimension)] : Array.Empty<KeyValuePair<string, JsonNode?>>(),
            new("hidden_act", activation.Name),
            new("layer_norm_eps", epsilon),
        ];
}
