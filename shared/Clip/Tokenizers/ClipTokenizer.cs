namespace ClipSae.Clip.Tokenizers;

/// <summary>What makes a model's token ids of texts, in one of the kinds that models come with. Safe to use from several threads.</summary>
public abstract class ClipTokenizer
{
    private protected ClipTokenizer() { }

    /// <summary>Tokens of the vocabulary, the special ones among them.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The id behind a text's last word.</summary>
    public abstract int EndOfText { get; }

    /// <summary>Words that are one token each, the most frequent first.</summary>
    public abstract IEnumerable<string> Words { get; }

    /// <summary>The id before a text's first word, if there is one, and that behind its end.</summary>
    protected abstract (int? Start, int Padding) Frame { get; }

    /// <summary>
    /// Loads a vocabulary in any of its forms: OpenAI's merges (plain or gzip), <c>merges.txt</c> or <c>tokenizer.json</c> of a CLIP;
    /// <c>spiece.model</c> of SigLIP, <c>tokenizer.model</c> of SigLIP 2, <c>sentencepiece.bpe.model</c> of MetaCLIP 2. Its content says
    /// which.
    /// </summary>
    /// <exception cref="UserErrorException">The file is missing or none of them; names file and place.</exception>
    public static ClipTokenizer Load(string path) => TokenizerFile.Load(path);

    /// <summary>The vocabulary that is next to a checkpoint (a file, or a model folder).</summary>
    /// <param name="checkpoint">Where the checkpoint is.</param>
    /// <param name="named">How the user named it, where that is another place.</param>
    /// <exception cref="UserErrorException">There is none; says which file to fetch and where to put it.</exception>
    public static string FileBeside(string checkpoint, string? named = null)
    {
        var folder = Directory.Exists(checkpoint) ? checkpoint : Path.GetDirectoryName(Path.GetFullPath(checkpoint))!;
        return TokenizerFile.In(folder)
            ?? throw new UserErrorException(
                $"{named ?? folder}: no vocabulary is next to the weights; "
                    + "download bpe_simple_vocab_16e6.txt.gz (from the repository openai/CLIP, folder clip), or merges.txt and "
                    + "vocab.json, or tokenizer.json of the model, or of a SigLIP its spiece.model or tokenizer.model, "
                    + "of a MetaCLIP 2 facebook/xlm-v-base's sentencepiece.bpe.model, and put it there, or specify it with --tokenizer"
            );
    }

    /// <summary>Whether a file of this name is a vocabulary, or a part of one, as models are published with it.</summary>
    public static bool IsVocabulary(string name) => TokenizerFile.IsNamed(name);

    /// <summary>CLIP's tokenizer from merges in order of their rank.</summary>
    public static BytePairTokenizer FromMerges(IEnumerable<(string Left, string Right)> merges) => new(merges);

    /// <summary>Token ids of a text's words alone, without start, end, padding or cut.</summary>
    public abstract IEnumerable<int> Encode(string text);

    /// <summary>Token ids of a text: start, if there is one, words, end, then padding up to the context length.</summary>
    /// <param name="truncated">Whether the text was too long; it is then cut and still ends in the end-of-text token.</param>
    /// <returns>[context] ids.</returns>
    public long[] Encode(string text, int context, out bool truncated)
    {
        var (start, padding) = Frame;
        List<int> ids = start is { } first ? [first, .. Encode(text), EndOfText] : [.. Encode(text), EndOfText];
        truncated = ids.Count > context;
        if (truncated)
        {
            ids.RemoveRange(context, ids.Count - context);
            ids[^1] = EndOfText;
        }

        var padded = new long[context];
        Array.Fill(padded, padding);
        for (var i = 0; i < ids.Count; i++)
        {
            padded[i] = ids[i];
        }

        return padded;
    }

    /// <summary>How many of a text's ids are its own, the end-of-text token included: what follows is padding.</summary>
    /// <param name="ids">[context] ids, as <see cref="Encode(string, int, out bool)"/> gives them.</param>
    public int LengthOf(ReadOnlySpan<long> ids) => ids.IndexOf(EndOfText) + 1;

    /// <summary>Token ids of a prompt that names a class, which must not be cut: it might no longer name it.</summary>
    /// <returns>[context] ids.</returns>
    /// <exception cref="UserErrorException">The prompt is longer than the context.</exception>
    public long[] EncodePrompt(string prompt, int context)
    {
        var ids = Encode(prompt, context, out var truncated);
        return truncated
            ? throw new UserErrorException(
                $"the prompt \"{prompt}\" is longer than the model's {context} tokens: shorten the class name or the template"
            )
            : ids;
    }
}
