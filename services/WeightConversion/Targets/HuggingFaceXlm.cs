using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Tokenizers;

namespace ClipSae.WeightConversion.Targets;

/// <summary>
/// The vocabulary of a MetaCLIP 2 as <see cref="HuggingFaceTarget"/> writes it, for <c>transformers</c>' XLMRobertaTokenizer.
/// </summary>
internal static class HuggingFaceXlm
{
    /// <exception cref="UserErrorException">The vocabulary is no MetaCLIP 2's.</exception>
    public static void WriteTokenizer(string folder, ClipTokenizer tokenizer, int context)
    {
        var pieces =
            tokenizer as XlmTokenizer
            ?? throw new UserErrorException(
                "the vocabulary is that of a CLIP or a SigLIP, and the model is a MetaCLIP 2: "
                    + "name facebook/xlm-v-base's sentencepiece.bpe.model with --tokenizer"
            );
        AtomicFile.Write(Path.Combine(folder, "sentencepiece.bpe.model"), pieces.File.ToArray());
        var special = new JsonObject
        {
            ["bos_token"] = "<s>",
            ["cls_token"] = "<s>",
            ["eos_token"] = "</s>",
            ["mask_token"] = "<mask>",
            ["pad_token"] = "<pad>",
            ["sep_token"] = "</s>",
            ["unk_token"] = "<unk>",
        };
        JsonDescription.Write(folder, "special_tokens_map.json", special);
        var configuration = special.DeepClone().AsObject();
        configuration["tokenizer_class"] = "XLMRobertaTokenizer";
        configuration["model_max_length"] = context;
        JsonDescription.Write(folder, "tokenizer_config.json", configuration);
    }
}
