using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Contracts;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion.Targets;

/// <summary>What <see cref="HuggingFaceTarget"/> writes beside the weights of a SigLIP, for <c>transformers</c>' SiglipModel.</summary>
internal static class HuggingFaceSigLip
{
    public static JsonObject Configuration(ClipArchitecture a, ConversionDtype dtype) =>
        new()
        {
            ["architectures"] = new JsonArray("SiglipModel"),
            ["model_type"] = "siglip",
            ["torch_dtype"] = HuggingFaceTarget.NameOf(dtype),
            ["text_config"] = new JsonObject([
                .. Tower("siglip_text_model", a.TextWidth, a.TextHeads, a.TextNeurons, a.TextLayers, a),
                new("max_position_embeddings", a.ContextLength),
                new("vocab_size", a.VocabularySize),
                new("projection_size", a.EmbedDim),
            ]),
            ["vision_config"] = new JsonObject([
                .. Tower("siglip_vision_model", a.VisionWidth, a.VisionHeads, a.VisionNeurons, a.VisionLayers, a),
                new("image_size", a.ImageResolution),
                new("patch_size", a.PatchSize),
                new("num_channels", 3),
            ]),
        };

    public static JsonObject Preprocessing(ImagePreparation preparation) =>
        new()
        {
            ["image_processor_type"] = "SiglipImageProcessor",
            ["do_convert_rgb"] = true,
            ["do_resize"] = true,
            ["size"] = new JsonObject { ["height"] = preparation.Resolution, ["width"] = preparation.Resolution },
            ["resample"] = (int)preparation.Filter,
            ["do_rescale"] = true,
            ["rescale_factor"] = 1.0 / 255,
            ["do_normalize"] = true,
            ["image_mean"] = new JsonArray([.. preparation.Normalization.Mean.Select(mean => (JsonNode)mean)]),
            ["image_std"] = new JsonArray([.. preparation.Normalization.Deviation.Select(deviation => (JsonNode)deviation)]),
        };

    /// <summary>The vocabulary as it is published, and what transformers makes of it.</summary>
    /// <exception cref="UserErrorException">The vocabulary is no SigLIP's.</exception>
    public static void WriteTokenizer(string folder, ClipTokenizer tokenizer, int context)
    {
        if (tokenizer is not SentencePieceTokenizer pieces)
        {
            throw new UserErrorException(
                "the vocabulary is that of a CLIP, and the model is a SigLIP: name its spiece.model or tokenizer.model with --tokenizer"
            );
        }

        AtomicFile.Write(Path.Combine(folder, pieces.IsUnigram ? "spiece.model" : "tokenizer.model"), pieces.File.ToArray());
        var special = pieces.IsUnigram
            ? new JsonObject
            {
                ["eos_token"] = "</s>",
                ["pad_token"] = "</s>",
                ["unk_token"] = "<unk>",
            }
            : new JsonObject
            {
                ["bos_token"] = "<bos>",
                ["eos_token"] = "<eos>",
                ["pad_token"] = "<pad>",
                ["unk_token"] = "<unk>",
            };
        JsonDescription.Write(folder, "special_tokens_map.json", special);
        var configuration = special.DeepClone().AsObject();
        configuration["tokenizer_class"] = pieces.IsUnigram ? "SiglipTokenizer" : "GemmaTokenizer";
        configuration["model_max_length"] = context;
        configuration["do_lower_case"] = true;
        if (!pieces.IsUnigram)
        {
            configuration["add_bos_token"] = false;
            configuration["add_eos_token"] = true;
            configuration["padding_side"] = "right";
        }

        JsonDescription.Write(folder, "tokenizer_config.json", configuration);
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Tower(
        string type,
        int width,
        int heads,
        int neurons,
        int layers,
        ClipArchitecture a
    ) =>
        [
            new("model_type", type),
            new("hidden_size", width),
            new("intermediate_size", neurons),
            new("num_attention_heads", heads),
            new("num_hidden_layers", layers),
            new("hidden_act", a.Activation.Name),
            new("layer_norm_eps", a.Family.NormEpsilon),
        ];
}
