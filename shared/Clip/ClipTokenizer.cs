using System.Collections.Concurrent;
using ClipSae.Contracts;

namespace ClipSae.Clip;

/// <summary>
/// CLIP's byte-level byte-pair tokenizer. Ids: the 256 byte symbols, the same at a word's end, one a merge, start of text,
/// end of text. Safe to use from several threads.
/// </summary>
public sealed class ClipTokenizer
{
    private readonly Dictionary<string, int> idOfSymbol = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Left, string Right), int> rankOfMerge = [];
    private readonly ConcurrentDictionary<string, int[]> cache = new(StringComparer.Ordinal);

    private ClipTokenizer(IEnumerable<(string Left, string Right)> merges)
    {
        foreach (var symbol in BytePairs.Alphabet)
        {
            idOfSymbol.Add(symbol.ToString(), idOfSymbol.Count);
        }

        foreach (var symbol in BytePairs.Alphabet)
        {
            idOfSymbol.Add(symbol + BytePairs.WordEnd, idOfSymbol.Count);
        }

        // A merge takes its own id even when another merge spells the same symbol; the last one wins, as in the original.
        var id = idOfSymbol.Count;
        foreach (var (left, right) in merges)
        {
            rankOfMerge.TryAdd((left, right), rankOfMerge.Count);
            idOfSymbol[left + right] = id++;
        }

        StartOfText = id++;
        EndOfText = id++;
        VocabularySize = id;
        cache[BytePairs.StartOfText] = [StartOfText];
        cache[BytePairs.EndOfText] = [EndOfText];
    }

    public int VocabularySize { get; }

    public int StartOfText { get; }

    public int EndOfText { get; }

    /// <summary>Every symbol with its id: what <c>vocab.json</c> lists.</summary>
    public IEnumerable<KeyValuePair<string, int>> Vocabulary => idOfSymbol
        .Append(new(BytePairs.StartOfText, StartOfText)).Append(new(BytePairs.EndOfText, EndOfText));

    /// <summary>The merges in order of their rank.</summary>
    public IEnumerable<(string Left, string Right)> Merges => rankOfMerge.OrderBy(merge => merge.Value).Select(merge => merge.Key);

    /// <summary>Loads a vocabulary in any of its three forms: OpenAI's merges (plain or gzip), <c>merges.txt</c>, or <c>tokenizer.json</c>.</summary>
    /// <exception cref="UserErrorException">The file is missing or has a line that is not a merge; names file and line.</exception>
    public static ClipTokenizer Load(string path) => TokenizerFile.Load(path);

    /// <summary>The vocabulary that lies beside a checkpoint (a file, or a model folder).</summary>
    /// <param name="checkpoint">Where the checkpoint is.</param>
    /// <param name="named">How the user named it, where that is another place.</param>
    /// <exception cref="UserErrorException">There is none; says which file to fetch and where to put it.</exception>
    public static string FileBeside(string checkpoint, string? named = null)
    {
        var folder = Directory.Exists(checkpoint) ? checkpoint : Path.GetDirectoryName(Path.GetFullPath(checkpoint))!;
        return TokenizerFile.In(folder) ?? throw new UserErrorException(
            $"{named ?? folder}: no vocabulary is next to the weights; download bpe_simple_vocab_16e6.txt.gz (from the repository openai/CLIP, folder clip), or merges.txt and vocab.json, or tokenizer.json of the model, and put it there, or specify it with --tokenizer");
    }

    /// <summary>Whether a file of this name is a vocabulary, or a part of one, as models are published with it.</summary>
    public static bool IsVocabulary(string name) => TokenizerFile.IsNamed(name);

    /// <summary>A tokenizer from merges in order of their rank.</summary>
    public static ClipTokenizer FromMerges(IEnumerable<(string Left, string Right)> merges) => new(merges);

    /// <summary>Token ids of a text: start, words, end, then zeros up to the context length.</summary>
    /// <param name="truncated">Whether the text was too long; it is then cut and still ends in the end-of-text token.</param>
    /// <returns>[context] ids.</returns>
    public long[] Encode(string text, int context, out bool truncated)
    {
        var ids = new List<int> { StartOfText };
        ids.AddRange(Encode(text));
        ids.Add(EndOfText);
        truncated = ids.Count > context;
        if (truncated)
        {
            ids.RemoveRange(context, ids.Count - context);
            ids[^1] = EndOfText;
        }

        var padded = new long[context];
        for (var i = 0; i < ids.Count; i++)
        {
            padded[i] = ids[i];
        }

        return padded;
    }

    /// <summary>Token ids of a prompt that names a class, which must not be cut: it might no longer name it.</summary>
    /// <returns>[context] ids.</returns>
    /// <exception cref="UserErrorException">The prompt is longer than the context.</exception>
    public long[] EncodePrompt(string prompt, int context)
    {
        var ids = Encode(prompt, context, out var truncated);
        return truncated
            ? throw new UserErrorException($"the prompt \"{prompt}\" is longer than the model's {context} tokens: shorten the class name or the template")
            : ids;
    }

    /// <summary>Token ids of a text's words alone, without start, end, padding or cut.</summary>
    public IEnumerable<int> Encode(string text) => CaptionText.Words(CaptionText.Clean(text)).SelectMany(EncodeWord);

    private int[] EncodeWord(string word) => cache.GetOrAdd(word, w =>
    {
        var symbols = BytePairs.Symbols(w);
        while (symbols.Count > 1)
        {
            var best = symbols.Zip(symbols.Skip(1)).MinBy(pair => rankOfMerge.GetValueOrDefault(pair, int.MaxValue));
            if (!rankOfMerge.ContainsKey(best))
            {
                break;
            }

            symbols = BytePairs.Merge(symbols, best.First, best.Second);
        }

        return [.. symbols.Select(s => idOfSymbol[s])];
    });
}
