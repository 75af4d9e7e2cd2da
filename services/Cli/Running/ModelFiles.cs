using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Tensors;

namespace ClipSae.Cli;

/// <summary>A checkpoint and its vocabulary as files.</summary>
internal static class ModelFiles
{
    public const string MediaType = "application/x-safetensors";

    /// <summary>The vocabulary that lies beside a checkpoint.</summary>
    /// <exception cref="WrongUseException">There is none.</exception>
    public static string TokenizerBeside(string model)
    {
        var folder = Path.GetDirectoryName(model)!;
        return Directory.EnumerateFiles(folder, "*bpe*.txt*").Order(StringComparer.Ordinal).FirstOrDefault()
            ?? throw new WrongUseException($"--tokenizer is missing, and there is no *bpe*.txt.gz in {folder}: name the vocabulary of the model");
    }

    /// <summary>Reads what can be known without the weights themselves, so that a wrong file stops a run before it starts.</summary>
    /// <exception cref="UserErrorException">The checkpoint is damaged or no CLIP, or the vocabulary is another model's; the message names the file.</exception>
    public static void Check(string weights, string tokenizer)
    {
        using var file = SafetensorsFile.Open(weights);
        var architecture = ClipArchitecture.FromTensors(file.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Shape, StringComparer.Ordinal), weights);
        var vocabulary = ClipTokenizer.Load(tokenizer).VocabularySize;
        if (vocabulary != architecture.VocabularySize)
        {
            throw new UserErrorException(
                $"{tokenizer} has {vocabulary} tokens, but {weights} knows {architecture.VocabularySize}: name the model's own vocabulary with --tokenizer");
        }
    }
}
