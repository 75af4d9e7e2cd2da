using ClipSae.Clip.Architecture;

namespace ClipSae.Clip.Checkpoints;

/// <summary>
/// Names of <c>transformers</c>' CLIPModel and SiglipModel next to those used here (science, section 7). Its linear layers keep [out, in];
/// both projections are linear layers there, so transposed; attention has three matrices in place of one.
/// </summary>
public static class HuggingFaceKeys
{
    /// <summary>Prefix of the text tower.</summary>
    public const string Text = "text_model.";

    /// <summary>Prefix of the vision tower.</summary>
    public const string Vision = "vision_model.";

    private const string Layers = "encoder.layers.";

    private static readonly (string OpenAi, string HuggingFace)[] Singles =
    [
        ("logit_scale", "logit_scale"),
        ("positional_embedding", Text + "embeddings.position_embedding.weight"),
        ("positional_embedding_res", Text + "embeddings.position_embedding_res.weight"),
        ("token_embedding.weight", Text + "embeddings.token_embedding.weight"),
        ("ln_final.weight", Text + "final_layer_norm.weight"),
        ("ln_final.bias", Text + "final_layer_norm.bias"),
        ("text_projection", "text_projection.weight"),
        ("visual.class_embedding", Vision + "embeddings.class_embedding"),
        ("visual.positional_embedding", Vision + "embeddings.position_embedding.weight"),
        ("visual.conv1.weight", Vision + "embeddings.patch_embedding.weight"),
        ("visual.ln_pre.weight", Vision + "pre_layrnorm.weight"),
        ("visual.ln_pre.bias", Vision + "pre_layrnorm.bias"),
        ("visual.ln_post.weight", Vision + "post_layernorm.weight"),
        ("visual.ln_post.bias", Vision + "post_layernorm.bias"),
        ("visual.proj", "visual_projection.weight"),
        ("logit_bias", "logit_bias"),
        ("text_projection.weight", Text + "head.weight"),
        ("text_projection.bias", Text + "head.bias"),
        ("visual.conv1.bias", Vision + "embeddings.patch_embedding.bias"),
        ("visual.head.probe", Vision + "head.probe"),
        ("visual.head.attn.in_proj_weight", Vision + "head.attention.in_proj_weight"),
        ("visual.head.attn.in_proj_bias", Vision + "head.attention.in_proj_bias"),
        ("visual.head.attn.out_proj.weight", Vision + "head.attention.out_proj.weight"),
        ("visual.head.attn.out_proj.bias", Vision + "head.attention.out_proj.bias"),
        ("visual.head.ln_1.weight", Vision + "head.layernorm.weight"),
        ("visual.head.ln_1.bias", Vision + "head.layernorm.bias"),
        ("visual.head.mlp.c_fc.weight", Vision + "head.mlp.fc1.weight"),
        ("visual.head.mlp.c_fc.bias", Vision + "head.mlp.fc1.bias"),
        ("visual.head.mlp.c_proj.weight", Vision + "head.mlp.fc2.weight"),
        ("visual.head.mlp.c_proj.bias", Vision + "head.mlp.fc2.bias"),
    ];

    private static readonly (string OpenAi, string HuggingFace)[] Inside =
    [
        ("attn.in_proj_", "self_attn.in_proj."),
        ("attn.out_proj.", "self_attn.out_proj."),
        ("ln_1.", "layer_norm1."),
        ("ln_2.", "layer_norm2."),
        ("mlp.c_fc.", "mlp.fc1."),
        ("mlp.c_proj.", "mlp.fc2."),
    ];

    /// <summary>Query, key and value in the order of their rows in OpenAI's <c>in_proj</c>.</summary>
    public static IReadOnlyList<string> Attention { get; } = ["q_proj", "k_proj", "v_proj"];

    /// <summary>Whether a key is one of CLIPModel's.</summary>
    public static bool IsOne(string key) =>
        key.StartsWith(Text, StringComparison.Ordinal) || key.StartsWith(Vision, StringComparison.Ordinal);

    /// <summary>Whether the matrix is transposed between the two.</summary>
    public static bool IsTransposed(string openAiKey) => openAiKey is "text_projection" or "visual.proj";

    /// <summary>
    /// OpenAI's key of a CLIPModel key, or null where it has none. Keys of query, key and value give their common <c>in_proj_…</c>.
    /// </summary>
    public static string? ToOpenAi(string key)
    {
        foreach (var (openAi, huggingFace) in Singles)
        {
            if (key == huggingFace)
            {
                return openAi;
            }
        }

        var (tower, blocks) = key.StartsWith(Vision, StringComparison.Ordinal)
            ? (Vision, ClipKeys.VisionBlocks)
            : (Text, ClipKeys.TextBlocks);
        if (!key.StartsWith(tower + Layers, StringComparison.Ordinal))
        {
            return null;
        }

        var rest = key[(tower + Layers).Length..];
        var dot = rest.IndexOf('.', StringComparison.Ordinal);
        if (dot < 1)
        {
            return null;
        }

        var inside = rest[(dot + 1)..];
        foreach (var part in Attention)
        {
            inside = inside.Replace($"self_attn.{part}.", "self_attn.in_proj.", StringComparison.Ordinal);
        }

        foreach (var (openAi, huggingFace) in Inside)
        {
            if (inside.StartsWith(huggingFace, StringComparison.Ordinal))
            {
                return blocks + rest[..(dot + 1)] + openAi + inside[huggingFace.Length..];
            }
        }

        return null;
    }

    /// <summary>CLIPModel's keys of an OpenAI key: three of an <c>in_proj</c>, one of every other.</summary>
    /// <exception cref="ArgumentException">The key is none of a CLIP.</exception>
    public static IReadOnlyList<string> FromOpenAi(string key)
    {
        foreach (var (openAi, huggingFace) in Singles)
        {
            if (key == openAi)
            {
                return [huggingFace];
            }
        }

        var (blocks, tower) = key.StartsWith(ClipKeys.VisionBlocks, StringComparison.Ordinal)
            ? (ClipKeys.VisionBlocks, Vision)
            : (ClipKeys.TextBlocks, Text);
        var rest = key[blocks.Length..];
        var dot = rest.IndexOf('.', StringComparison.Ordinal) + 1;
        foreach (var (openAi, huggingFace) in Inside)
        {
            if (rest.AsSpan(dot).StartsWith(openAi))
            {
                var name = tower + Layers + rest[..dot] + huggingFace + rest[(dot + openAi.Length)..];
                return huggingFace.Contains("in_proj", StringComparison.Ordinal)
                    ? [.. Attention.Select(part => name.Replace("in_proj", part, StringComparison.Ordinal))]
                    : [name];
            }
        }

        throw new ArgumentException($"'{key}' is not a weight of a CLIP", nameof(key));
    }
}
