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

    /// <exception cref="Contracts.UserErrorException">It describes what is not supported, or another model; names the key.</exception>
    public static ModelTraits Read(DescribedPart config, ClipArchitecture a)
    {
        var isFlat = config.Text("model_type") is "clip_text_model" or "clip_vision_model" || (config.Has("hidden_size") && !config.Has("text_config") && !config.Has("vision_config"));
        if (config.Has("pretrained_cfg"))
        {
            throw config.NotComputed("architecture", "it describes a model of timm; only CLIPs with OpenAI's vision transformer are supported");
        }

        config.Only("model_type", "clip", "clip_text_model", "clip_vision_model");
        if (isFlat)
        {
            return Tower(config, a, isVision: config.Text("model_type") == "clip_vision_model" || config.Has("patch_size"));
        }

        var traits = ModelTraits.Unknown;

        // What older versions wrote under the second name overrides the first.
        foreach (var (key, isVision) in new[] { ("vision_config", true), ("vision_config_dict", true), ("text_config", false), ("text_config_dict", false) })
        {
            if (config.Part(key) is { } tower)
            {
                traits = traits.With(Tower(tower, a, isVision), tower.Path);
            }
        }

        if (config.Has("text_config") || config.Has("vision_config"))
        {
            config.Size("projection_dim", a.EmbedDim);
        }

        return traits;
    }

    /// <summary>The activation of a text encoder that is alone in its folder; null where nothing there says it.</summary>
    /// <exception cref="Contracts.UserErrorException">The description cannot be read.</exception>
    public static MlpActivation? TextActivation(string folder) =>
        DescribedPart.Read(folder, FileName) is { } config ? Activation(config.Text("hidden_act")) ?? Default(config) : null;

    private static ModelTraits Tower(DescribedPart tower, ClipArchitecture a, bool isVision)
    {
        var (width, layers) = isVision ? (a.VisionWidth, a.VisionLayers) : (a.TextWidth, a.TextLayers);
        tower.Only("model_type", isVision ? ["clip", "clip_vision_model"] : ["clip", "clip_text_model"]);
        var activation = Activation(tower.Text("hidden_act"));
        if (activation is null && tower.Has("hidden_act"))
        {
            throw tower.NotComputed("hidden_act", $"only {string.Join(", ", MlpActivation.All)} are supported");
        }
        tower.Only("layer_norm_eps", 1e-5);
        var heads = Heads(tower, "num_attention_heads", "hidden_size", width, isVision ? VisionHeads : TextHeads);
        tower.Size("hidden_size", width);
        tower.Size("intermediate_size", isVision ? a.VisionNeurons : a.TextNeurons);
        tower.Size("num_hidden_layers", layers);
        if (isVision)
        {
            tower.Only("num_channels", 3);
            tower.Size("patch_size", a.PatchSize);
            tower.Size("image_size", a.ImageResolution);
            return new ModelTraits(activation ?? Default(tower), VisionHeads: heads);
        }

        tower.Size("max_position_embeddings", a.ContextLength);
        tower.Size("vocab_size", a.VocabularySize);
        // The old default, 2, stands for the largest id there; another than the last is taken where the text ends.
        if (tower.Number("eos_token_id") is { } end && end != 2 && end != a.VocabularySize - 1)
        {
            throw tower.NotComputed("eos_token_id", $"only the largest id ({a.VocabularySize - 1}) ends a text here");
        }

        return new ModelTraits(activation ?? Default(tower), TextHeads: heads);
    }

    private static MlpActivation? Activation(string? name) => name switch
    {
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => MlpActivation.TanhGelu,
        _ => MlpActivation.Find(name),
    };

    // What equals the default of CLIPTextConfig and CLIPVisionConfig is left out.
    private static MlpActivation? Default(DescribedPart tower) => tower.Has("hidden_size") ? MlpActivation.QuickGelu : null;

    /// <summary>Heads of a tower; those that are not given are the default of whoever writes such descriptions, where the width is there.</summary>
    public static int? Heads(DescribedPart tower, string headsKey, string widthKey, int width, int defaultHeads)
    {
        if ((tower.Number(headsKey) ?? (tower.Has(widthKey) ? defaultHeads : null)) is not { } heads)
        {
            return null;
        }

        return heads >= 1 && heads <= width && width % heads == 0
            ? (int)heads
            : throw tower.NotComputed(headsKey, $"{heads:0} heads do not divide a width of {width}");
    }
}
