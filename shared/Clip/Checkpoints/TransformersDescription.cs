using ClipSae.Clip.Architecture;

namespace ClipSae.Clip.Checkpoints;

/// <summary>
/// <c>config.json</c> as <c>transformers</c> writes it, of a whole CLIP or of one tower alone (flat). Values that equal a default are left
/// out there, so the defaults of CLIPTextConfig and CLIPVisionConfig hold where the width is known; those of SigLIP's are left out whole in
/// its base models.
/// </summary>
internal static class TransformersDescription
{
    public const string FileName = "config.json";

    /// <summary>MetaCLIP 2's, whole and by towers.</summary>
    private const string Worldwide = "metaclip_2";
    private const string WorldwideText = "metaclip_2_text_model";
    private const string WorldwideVision = "metaclip_2_vision_model";

    private const int TextHeads = 8;
    private const int VisionHeads = 12;

    /// <summary>Defaults of SiglipTextConfig and SiglipVisionConfig.</summary>
    private const int SigLipHeads = 12;
    private const int SigLipPixels = 224;

    /// <exception cref="Contracts.UserErrorException">It describes what is not supported, or another model; names the key.</exception>
    public static ModelTraits Read(DescribedPart config, ClipArchitecture a)
    {
        if (a.Family == ClipFamily.SigLip)
        {
            return SigLip(config, a);
        }

        var isFlat =
            config.Text("model_type") is "clip_text_model" or "clip_vision_model" or WorldwideText or WorldwideVision
            || (config.Has("hidden_size") && !config.Has("text_config") && !config.Has("vision_config"));
        if (config.Has("pretrained_cfg"))
        {
            throw config.NotComputed(
                "architecture",
                "it describes a model of timm; only CLIPs with OpenAI's vision transformer are supported"
            );
        }

        var isWorldwide =
            a.Family == ClipFamily.MetaClip2 || config.Text("model_type")?.StartsWith(Worldwide, StringComparison.Ordinal) == true;
        config.Only(
            "model_type",
            isWorldwide ? [Worldwide, WorldwideText, WorldwideVision] : ["clip", "clip_text_model", "clip_vision_model"]
        );
        if (isFlat)
        {
            return Tower(
                config,
                a,
                isVision: config.Text("model_type") is "clip_vision_model" or WorldwideVision || config.Has("patch_size"),
                isWorldwide
            );
        }

        var traits = new ModelTraits(Family: isWorldwide ? ClipFamily.MetaClip2 : null);

        // What older versions wrote under the second name overrides the first.
        foreach (
            var (key, isVision) in new[]
            {
                ("vision_config", true),
                ("vision_config_dict", true),
                ("text_config", false),
                ("text_config_dict", false),
            }
        )
        {
            if (config.Part(key) is { } tower)
            {
                traits = traits.With(Tower(tower, a, isVision, isWorldwide), tower.Path);
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

    // "siglip2" is NaFlex's, whose weights are recognised before; a fixed resolution is "siglip" in both versions.
    private static ModelTraits SigLip(DescribedPart config, ClipArchitecture a)
    {
        config.Only("model_type", "siglip", "siglip2");
        var traits = ModelTraits.Unknown;
        foreach (var isVision in new[] { true, false })
        {
            if (config.Part(isVision ? "vision_config" : "text_config") is { } tower)
            {
                traits = traits.With(SigLipTower(tower, a, isVision), tower.Path);
            }
        }

        return traits;
    }

    private static ModelTraits SigLipTower(DescribedPart tower, ClipArchitecture a, bool isVision)
    {
        tower.Only("model_type", isVision ? ["siglip_vision_model", "siglip2_vision_model"] : ["siglip_text_model", "siglip2_text_model"]);
        tower.Only("layer_norm_eps", a.Family.NormEpsilon);
        var activation = tower.Has("hidden_act") ? Named(tower) : a.Family.Activation;
        var heads = HeadsOf(
            tower,
            "num_attention_heads",
            tower.Number("num_attention_heads") ?? SigLipHeads,
            isVision ? a.VisionWidth : a.TextWidth
        );
        tower.Size("hidden_size", isVision ? a.VisionWidth : a.TextWidth);
        tower.Size("intermediate_size", isVision ? a.VisionNeurons : a.TextNeurons);
        tower.Size("num_hidden_layers", isVision ? a.VisionLayers : a.TextLayers);
        if (!isVision)
        {
            tower.Size("max_position_embeddings", a.ContextLength);
            tower.Size("vocab_size", a.VocabularySize);
            tower.Size("projection_size", a.EmbedDim);
            return new ModelTraits(activation, TextHeads: heads);
        }

        tower.On("vision_use_head");
        tower.Only("num_channels", 3);
        tower.Size("patch_size", a.PatchSize);
        var side = tower.Number("image_size") ?? SigLipPixels;
        return (int)(side / a.PatchSize) == a.Grid
            ? new ModelTraits(activation, VisionHeads: heads, ImageResolution: (int)side)
            : throw new Contracts.UserErrorException(
                $"{tower.Path}: 'vision_config.image_size' is {side:0}, but the weights have {a.Grid} patches of {a.PatchSize} "
                    + "pixels a side: it describes another model; keep weights in one folder with their own description only"
            );
    }

    private static MlpActivation Named(DescribedPart tower) =>
        Activation(tower.Text("hidden_act"))
        ?? throw tower.NotComputed("hidden_act", $"only {string.Join(", ", MlpActivation.All)} are supported");

    private static ModelTraits Tower(DescribedPart tower, ClipArchitecture a, bool isVision, bool isWorldwide)
    {
        var (width, layers) = isVision ? (a.VisionWidth, a.VisionLayers) : (a.TextWidth, a.TextLayers);
        tower.Only(
            "model_type",
            isWorldwide ? [Worldwide, isVision ? WorldwideVision : WorldwideText]
                : isVision ? ["clip", "clip_vision_model"]
                : ["clip", "clip_text_model"]
        );
        var activation = tower.Has("hidden_act") ? Named(tower) : null;
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
        if (isWorldwide)
        {
            // The default is 49407, CLIP's, which no text of XLM-V ends in.
            var end = ClipFamily.MetaClip2.MarksOf(a.VocabularySize).End;
            return tower.Has("vocab_size") && tower.Number("eos_token_id") != end
                ? throw tower.NotComputed("eos_token_id", $"only XLM-V's end of text ({end}) ends one here")
                : new ModelTraits(activation ?? Default(tower), TextHeads: heads, Family: ClipFamily.MetaClip2);
        }

        // The old default, 2, stands for the largest id there; another than the last is taken where the text ends.
        if (tower.Number("eos_token_id") is { } named && named != 2 && named != a.VocabularySize - 1)
        {
            throw tower.NotComputed("eos_token_id", $"only the largest id ({a.VocabularySize - 1}) ends a text here");
        }

        return new ModelTraits(activation ?? Default(tower), TextHeads: heads);
    }

    private static MlpActivation? Activation(string? name) =>
        name switch
        {
            "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => MlpActivation.TanhGelu,
            _ => MlpActivation.Find(name),
        };

    // What equals the default of CLIPTextConfig and CLIPVisionConfig is left out.
    private static MlpActivation? Default(DescribedPart tower) => tower.Has("hidden_size") ? MlpActivation.QuickGelu : null;

    /// <summary>
    /// Heads of a tower; those that are not given are the default of whoever writes such descriptions, where the width is there.
    /// </summary>
    public static int? Heads(DescribedPart tower, string headsKey, string widthKey, int width, int defaultHeads) =>
        (tower.Number(headsKey) ?? (tower.Has(widthKey) ? defaultHeads : null)) is { } heads
            ? HeadsOf(tower, headsKey, heads, width)
            : null;

    private static int HeadsOf(DescribedPart tower, string headsKey, double heads, int width) =>
        heads >= 1 && heads <= width && width % heads == 0
            ? (int)heads
            : throw tower.NotComputed(headsKey, $"{heads:0} heads do not divide a width of {width}");
}
