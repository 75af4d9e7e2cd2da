using ClipSae.Clip.Architecture;

namespace ClipSae.Clip.Checkpoints;

/// <summary>Weights that people take for a CLIP's, recognised by the names of their tensors: what they are, and what to do.</summary>
internal static class ForeignWeights
{
    private const string TakeVit =
        "use a CLIP with OpenAI's vision transformer (ViT-B/32, ViT-B/16, ViT-L/14), or a SigLIP as transformers keeps it";
    private const string WholeModel = "name the file of the whole CLIP";

    private static readonly (Func<string, bool> Is, string What, string Remedy)[] Known =
    [
        (
            key => key.StartsWith("lora_te", StringComparison.Ordinal) || key.StartsWith("lora_unet", StringComparison.Ordinal),
            "a LoRA under kohya's names",
            "merge it into its base model first, and name the merged file"
        ),
        (
            key =>
                Has(key, ".lora_A.")
                || Has(key, ".lora_B.")
                || Has(key, ".lora_down.")
                || Has(key, ".lora_up.")
                || Has(key, ".hada_w1")
                || Has(key, ".lokr_w"),
            "a LoRA or a similar adapter",
            "merge it into its base model: 'clipsae convert BASE OUT --to openai --adapter FOLDER' does so with a LoRA in PEFT's format"
        ),
        (
            key =>
                Ends(key, ".SCB")
                || Ends(key, ".absmax")
                || Ends(key, ".quant_map")
                || Ends(key, ".qweight")
                || Ends(key, ".weight_format"),
            "quantised weights",
            "export them in float16 or float32"
        ),
        (
            key => Ends(key, ".scale_weight") || Ends(key, ".weight_scale") || key == "scaled_fp8",
            "8-bit weights with scales",
            "export them in float16 or float32"
        ),
        (
            key => key.StartsWith("visual.trunk.embeds.", StringComparison.Ordinal),
            "a NaFlex model, which takes pictures of any shape",
            TakeVit
        ),
        (
            key => Has(key, "visual.trunk.attn_pool."),
            "a SigLIP under the names of open_clip and timm",
            "download the same model in the format of transformers (google/siglip-…, google/siglip2-…)"
        ),
        (
            key =>
                key.StartsWith("visual.layer1.", StringComparison.Ordinal) || key.StartsWith("visual.attnpool.", StringComparison.Ordinal),
            "a CLIP with a ResNet (RN50 …)",
            TakeVit
        ),
        (
            key => key.StartsWith("visual.trunk.", StringComparison.Ordinal) && (Has(key, ".mlp.fc1_g.") || Has(key, ".mlp.w1.")),
            "an EVA-02-CLIP under the names of open_clip and timm",
            TakeVit
        ),
        (key => key.StartsWith("visual.trunk.", StringComparison.Ordinal), "an open_clip model with a vision tower of timm", TakeVit),
        (
            key => key.StartsWith("visual.blocks.", StringComparison.Ordinal) || key.StartsWith("visual.rope.", StringComparison.Ordinal),
            "an EVA-CLIP",
            TakeVit
        ),
        (key => Has(key, ".ls_1.gamma") || Has(key, ".ls_2.gamma"), "a CLIP whose blocks have LayerScale", TakeVit),
        (
            key =>
                key.StartsWith("text_decoder.", StringComparison.Ordinal) || key.StartsWith("visual.attn_pool.", StringComparison.Ordinal),
            "a CoCa",
            TakeVit
        ),
        (
            key =>
                key.StartsWith("text.transformer.embeddings.", StringComparison.Ordinal)
                || key.StartsWith("text.transformer.encoder.", StringComparison.Ordinal),
            "an open_clip model with a text tower of transformers",
            TakeVit
        ),
        (key => key is "W_enc" or "W_dec", "a sparse autoencoder", "name the CLIP that it was trained on"),
        (
            key => key.StartsWith("patch_embed.proj.", StringComparison.Ordinal) || key is "blocks.0.attn.qkv.weight",
            "an image model of timm, without texts",
            WholeModel
        ),
        (
            key => key.StartsWith("vit.embeddings.", StringComparison.Ordinal) || key is "embeddings.cls_token",
            "an image model of transformers, without texts",
            WholeModel
        ),
        (key => key.StartsWith("encoder.block.0.layer.", StringComparison.Ordinal), "a T5 text encoder", WholeModel),
        (key => key.StartsWith("layers.0.self_attn.", StringComparison.Ordinal) || key is "lm_head.weight", "a language model", WholeModel),
        (key => key is "emb_params" or "string_to_param", "a textual inversion embedding", WholeModel),
        (
            key => Has(key, "diffusion_model.") || Has(key, "down_blocks.0.") || Has(key, "double_blocks.0."),
            "an image generator without a text encoder of CLIP",
            "name the text encoder's own file"
        ),
        (
            key =>
                key.StartsWith("first_stage_model.", StringComparison.Ordinal)
                || key.StartsWith("decoder.conv_in.", StringComparison.Ordinal),
            "the autoencoder (VAE) of an image generator",
            WholeModel
        ),
    ];

    /// <summary>Vision towers of open_clip that OpenAI has none of: width and blocks, name, heads of both towers.</summary>
    private static readonly (int Width, int Layers, string Name, string Heads)[] OtherSizes =
    [
        (1280, 32, "ViT-H", "16,16"),
        (1408, 40, "ViT-g", "16,16"),
        (1664, 48, "ViT-bigG", "16,20"),
    ];

    /// <summary>Fewest tokens of a vocabulary of many languages: mT5's has 250,100.</summary>
    private const int Multilingual = 250000;

    /// <summary>One line on what the tensors are, or null where their names are none of these.</summary>
    /// <param name="axes">Names without what training programs put before them, with the number of axes of each.</param>
    public static string? Recognise(IReadOnlyDictionary<string, int> axes)
    {
        const string Patches = HuggingFaceKeys.Vision + "embeddings.patch_embedding.weight";
        string[] keys = [.. axes.Keys];
        if (axes.GetValueOrDefault(Patches) == 2)
        {
            return $"holds a SigLIP 2 with NaFlex, which takes pictures of any shape (key '{Patches}' is a matrix), "
                + $"and no supported CLIP: {TakeVit}";
        }

        if (
            axes.ContainsKey(ClipKeys.LogitBias)
            && !axes.ContainsKey(HuggingFaceKeys.Vision + "head.probe")
            && !axes.ContainsKey(ClipKeys.Probe)
            && axes.ContainsKey("visual.proj")
        )
        {
            return $"holds a model with a class token and a {ClipKeys.LogitBias}, "
                + $"trained with the sigmoid loss of SigLIP on another architecture, and no supported CLIP: {TakeVit}";
        }

        foreach (var (isOne, what, remedy) in Known)
        {
            if (keys.FirstOrDefault(isOne) is { } key)
            {
                return $"holds {what} (key '{key}') and no supported CLIP: {remedy}";
            }
        }

        return
            keys.Any(key =>
                key.StartsWith("visual.", StringComparison.Ordinal) || key.StartsWith(HuggingFaceKeys.Vision, StringComparison.Ordinal)
            ) && !keys.Any(key => Ends(key, "token_embedding.weight"))
            ? $"contains only a vision tower (key '{keys.First()}'): {WholeModel}"
            : null;
    }

    /// <summary>One line on a model whose sizes say that it is none of OpenAI's, where nothing says what those do not; or null.</summary>
    public static string? Recognise(ClipArchitecture architecture, ModelTraits traits)
    {
        const int WidestOfUsualHeads = 1024;
        if (architecture.Family == ClipFamily.SigLip)
        {
            return
                Math.Max(architecture.VisionWidth, architecture.TextWidth) > WidestOfUsualHeads
                && (traits.VisionHeads is null || traits.TextHeads is null)
                ? $"is a SigLIP whose towers are {architecture.VisionWidth} and {architecture.TextWidth} wide, "
                    + "and nothing says how many heads they have and how many pixels it takes: put its config.json next to it"
                : null;
        }

        var isWorldwide = architecture.Family == ClipFamily.MetaClip2 || traits.Family == ClipFamily.MetaClip2;
        if (architecture.VocabularySize >= Multilingual && !isWorldwide)
        {
            return $"has a vocabulary of {architecture.VocabularySize} tokens, like mT5's and those of other CLIPs of many languages, "
                + "whose texts do not end in the largest id; for such towers only CLIP's own vocabulary and MetaCLIP 2's "
                + $"(XLM-V, {ClipFamily.XlmVTokens} tokens) are supported: {TakeVit}";
        }

        if (isWorldwide && traits.Activation is null)
        {
            return "is a MetaCLIP 2, and nothing says which activation and how many heads it was trained with: "
                + "put its config.json or open_clip_config.json next to it, or name them once with 'clipsae convert FILE OUT --to "
                + "openai --activation quick_gelu --heads 16,16' (ViT-H/14 of 224 pixels; "
                + "ViT-H/14 of 378 is gelu with 16,16, ViT-bigG/14 gelu with 16,20; S, M, B and L are gelu with heads 64 wide)";
        }

        if (traits.Activation is not null)
        {
            return null;
        }

        foreach (var (width, layers, name, heads) in OtherSizes)
        {
            if (architecture.VisionWidth == width && architecture.VisionLayers == layers)
            {
                return $"has the sizes of open_clip's {name} ('visual.conv1.weight' has {width} rows), and nothing says which activation "
                    + "and how many heads it was trained with: put its open_clip_config.json or config.json next to it, "
                    + $"or name them once with 'clipsae convert FILE OUT --to openai --activation gelu --heads {heads}' (LAION's; "
                    + "DFN's and MetaCLIP's are quick_gelu)";
            }
        }

        return null;
    }

    private static bool Has(string key, string part) => key.Contains(part, StringComparison.Ordinal);

    private static bool Ends(string key, string ending) => key.EndsWith(ending, StringComparison.Ordinal);
}
