using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;

namespace ClipSae.WeightConversion.Targets;

/// <summary>What <see cref="HuggingFaceTarget"/> writes next to the weights of a SigLIP, for <c>transformers</c>' SiglipModel.</summary>
internal static class HuggingFaceSigLip
{
    public static JsonObject Configuration(ClipArchitecture a, Precision dtype) =>
        new()
        {
            ["architectures"] = new JsonArray("SiglipModel"),
            ["model_type"] = "siglip",
            ["torch_dtype"] = HuggingFaceParts.NameOf(dtype),
            ["text_config"] = new JsonObject([
                .. HuggingFaceParts.Text("siglip_text_model", a, projection: null, a.Family.NormEpsilon),
                new("projection_size", a.EmbedDim),
            ]),
            ["vision_config"] = HuggingFaceParts.Vision("siglip_vision_model", a, projection: null, a.Family.NormEpsilon),
        };

    public static JsonObject Preprocessing(ImagePreparation preparation) =>
        new([
            new("image_processor_type", "SiglipImageProcessor"),
            new("do_convert_rgb", true),
            new("do_resize", true),
            new("size", HuggingFaceParts.Sides(preparation.Resolution)),
            new("resample", (int)preparation.Filter),
            .. HuggingFaceParts.Scaling(preparation.Normalization),
        ]);

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
}
