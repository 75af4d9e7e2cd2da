using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Checkpoints;

/// <summary><c>open_clip_config.json</c>; the defaults are those of open_clip's CLIPVisionCfg and CLIPTextCfg.</summary>
internal static class OpenClipDescription
{
    public const string FileName = "open_clip_config.json";

    private const int TextHeads = 8;

    /// <exception cref="Contracts.UserErrorException">It describes what is not supported, or another model; names the key.</exception>
    public static ModelTraits Read(DescribedPart config, ClipArchitecture a)
    {
        // A file without it is as old as one with the sizes at the top.
        var model = config.Part("model_cfg") ?? config;
        var isQuick = model.Has("quick_gelu") && !model.IsOff("quick_gelu");
        if (isQuick)
        {
            model.On("quick_gelu");
        }

        var traits = new ModelTraits(isQuick ? MlpActivation.QuickGelu : null);
        if (model.Part("vision_cfg") is { } vision)
        {
            traits = traits.With(new ModelTraits(Activation(vision, isQuick), VisionHeads: Vision(vision, a)), vision.Path);
        }

        if (model.Part("text_cfg") is { } text)
        {
            traits = traits.With(
                new ModelTraits(Activation(text, isQuick), TextHeads: Text(text, a), Family: Vocabulary(text, a)),
                text.Path
            );
        }

        model.Size("embed_dim", a.EmbedDim);
        model.Off("multimodal_cfg", "captioning models (CoCa) are not supported");
        model.Off("init_logit_bias", "models with a bias on their scores (SigLIP) are not supported");
        if (config.Part("preprocess_cfg") is { } preprocessing)
        {
            traits = traits.With(new ModelTraits(Fit: Preprocessing(preprocessing, a)), preprocessing.Path);
        }

        return traits;
    }

    // quick_gelu is for both towers and goes before what act_kwargs makes of GELU.
    private static MlpActivation Activation(DescribedPart tower, bool isQuick)
    {
        if (isQuick)
        {
            tower.Off("act_kwargs", "QuickGELU takes no arguments");
            return MlpActivation.QuickGelu;
        }

        var approximation = tower.Part("act_kwargs")?.Text("approximate");
        tower.Part("act_kwargs")?.Only("approximate", "none", "tanh");
        return approximation == "tanh" ? MlpActivation.TanhGelu : MlpActivation.Gelu;
    }

    private static int Vision(DescribedPart vision, ClipArchitecture a)
    {
        vision.Off("timm_model_name", "vision towers of timm are not supported");
        vision.Size("width", a.VisionWidth);
        vision.Size("layers", a.VisionLayers);
        vision.Size("patch_size", a.PatchSize);
        vision.Size("image_size", a.ImageResolution);
        Ratio(vision, a.VisionWidth, a.VisionNeurons);
        vision.Only("pool_type", "tok");
        vision.Only("pos_embed_type", "learnable");
        foreach (
            var key in new[]
            {
                "attentional_pool",
                "final_ln_after_pool",
                "no_ln_pre",
                "global_average_pool",
                "input_patchnorm",
                "qk_norm",
                "scaled_cosine",
            }
        )
        {
            vision.Off(key, "it is not supported");
        }

        Block(vision);
        var width = vision.Number("head_width") ?? ClipArchitecture.HeadWidth;
        return width >= 1 && a.VisionWidth >= width && a.VisionWidth % width == 0 ? (int)(a.VisionWidth / width)
            : width > a.VisionWidth ? 1
            : throw vision.NotComputed("head_width", $"it does not divide a width of {a.VisionWidth}");
    }

    // open_clip rounds down.
    private static void Ratio(DescribedPart tower, int width, int neurons)
    {
        var ratio = tower.Number("mlp_ratio") ?? 4;
        if ((int)(width * ratio) != neurons)
        {
            throw tower.NotComputed("mlp_ratio", $"but the MLPs of these weights have {neurons} neurons for a width of {width}");
        }
    }

    private static int? Text(DescribedPart text, ClipArchitecture a)
    {
        text.Off("hf_model_name", "text towers of transformers are not supported");
        text.Size("width", a.TextWidth);
        text.Size("layers", a.TextLayers);
        text.Size("context_length", a.ContextLength);
        text.Size("vocab_size", a.VocabularySize);
        Ratio(text, a.TextWidth, a.TextNeurons);
        text.Only("proj_type", "linear");
        foreach (var key in new[] { "no_causal_mask", "embed_cls", "final_ln_after_pool", "proj_bias", "qk_norm", "scaled_cosine" })
        {
            text.Off(key, "it is not supported");
        }

        Block(text);
        return TransformersDescription.Heads(text, "heads", "width", a.TextWidth, TextHeads);
    }

    // open_clip names the tokenizer and the id that it ends texts in; MetaCLIP 2's is XLM-V's, its smaller models' of other authors mT5's.
    private static ClipFamily? Vocabulary(DescribedPart text, ClipArchitecture a)
    {
        if (text.Text("pool_type") != "eos" && a.Family != ClipFamily.MetaClip2)
        {
            text.Off("hf_tokenizer_name", $"only CLIP's own tokenizer and {XlmTokenizer.Repository} are known here");
            text.Part("tokenizer_kwargs")?.Only("clean", "lower");
            text.Only("pool_type", "argmax");
            return null;
        }

        text.Only("hf_tokenizer_name", XlmTokenizer.Repository);
        text.Only("pool_type", "eos");
        text.Only("eos_id", ClipFamily.MetaClip2.MarksOf(a.VocabularySize).End);
        text.Part("tokenizer_kwargs")?.Only("clean", "whitespace");
        return ClipFamily.MetaClip2;
    }

    private static void Block(DescribedPart tower)
    {
        tower.Off("ls_init_value", "blocks with LayerScale are not supported");
        tower.Part("norm_kwargs")?.Only("eps", 1e-5);
    }

    private static ImageFit? Preprocessing(DescribedPart preprocessing, ClipArchitecture a)
    {
        preprocessing.Only("mean", PixelNormalization.OpenAi.Mean);
        preprocessing.Only("std", PixelNormalization.OpenAi.Deviation);
        preprocessing.Only("interpolation", "bicubic");
        preprocessing.Only("resize_mode", "shortest", "squash");
        preprocessing.Only("mode", "RGB");
        if (preprocessing.Number("size") is not null)
        {
            preprocessing.Size("size", a.ImageResolution);
        }
        else
        {
            preprocessing.Only("size", [a.ImageResolution, a.ImageResolution]);
        }

        return !preprocessing.Has("resize_mode") ? null
            : preprocessing.Text("resize_mode") == "squash" ? ImageFit.Squash
            : ImageFit.CentreCrop;
    }
}
