namespace ClipSae.Clip;

/// <summary>
/// <c>config.json</c> as <c>transformers</c> writes it, of a whole CLIP or of one tower alone (flat). Values that equal a default are left out there, so the
/// defaults of CLIPTextConfig and CLIPVisionConfig hold where the width is known.
/// </summary>
internal static class TransformersDescription
{
    public const string FileName = "config.json";

    private const int TextHeads = 8;
    private const int VisionHeads = 12;

    /// <exception cref="Contracts.UserErrorException">It describes what is not computed here, or another model; names the key.</exception>
    public static void Check(DescribedPart config, ClipArchitecture a)
    {
        var isFlat = config.Text("model_type") is "clip_text_model" or "clip_vision_model" || (config.Has("hidden_size") && !config.Has("text_config") && !config.Has("vision_config"));
        if (config.Has("pretrained_cfg"))
        {
            throw config.NotComputed("architecture", "it describes a model of timm; only CLIPs with OpenAI's vision transformer are computed here");
        }

        config.Only("model_type", "clip", "clip_text_model", "clip_vision_model");
        if (isFlat)
        {
            Tower(config, a, isVision: config.Text("model_type") == "clip_vision_model" || config.Has("patch_size"));
            return;
        }

        // What older versions wrote under the second name overrides the first.
        foreach (var (key, isVision) in new[] { ("vision_config", true), ("vision_config_dict", true), ("text_config", false), ("text_config_dict", false) })
        {
            if (config.Part(key) is { } tower)
            {
                Tower(tower, a, isVision);
            }
        }

        if (config.Has("text_config") || config.Has("vision_config"))
        {
            config.Size("projection_dim", a.EmbedDim);
        }
    }

    private static void Tower(DescribedPart tower, ClipArchitecture a, bool isVision)
    {
        var (width, layers) = isVision ? (a.VisionWidth, a.VisionLayers) : (a.TextWidth, a.TextLayers);
        tower.Only("model_type", isVision ? ["clip", "clip_vision_model"] : ["clip", "clip_text_model"]);
        tower.Only("hidden_act", "quick_gelu");
        tower.Only("layer_norm_eps", 1e-5);
        Heads(tower, "num_attention_heads", "hidden_size", width, isVision ? VisionHeads : TextHeads);
        tower.Size("hidden_size", width);
        tower.Size("intermediate_size", 4 * width);
        tower.Size("num_hidden_layers", layers);
        if (isVision)
        {
            tower.Only("num_channels", 3);
            tower.Size("patch_size", a.PatchSize);
            tower.Size("image_size", a.ImageResolution);
            return;
        }

        tower.Size("max_position_embeddings", a.ContextLength);
        tower.Size("vocab_size", a.VocabularySize);
        // The old default, 2, stands for the largest id there; another than the last is taken where the text ends.
        if (tower.Number("eos_token_id") is { } end && end != 2 && end != a.VocabularySize - 1)
        {
            throw tower.NotComputed("eos_token_id", $"only the largest id ({a.VocabularySize - 1}) ends a text here");
        }
    }

    /// <summary>Heads must be 64 wide; those that are not given are the default of whoever writes such descriptions.</summary>
    public static void Heads(DescribedPart tower, string headsKey, string widthKey, int width, int defaultHeads)
    {
        if ((tower.Number(headsKey) ?? (tower.Has(widthKey) ? defaultHeads : null)) is { } heads && heads * ClipArchitecture.HeadWidth != width && !(heads == 1 && width < ClipArchitecture.HeadWidth))
        {
            throw tower.NotComputed(headsKey, $"that is {heads:0} heads for a width of {width}; only heads of {ClipArchitecture.HeadWidth}, as in OpenAI's models, are computed here");
        }
    }
}
