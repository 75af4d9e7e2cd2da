using System.Collections.Concurrent;
using System.IO.Compression;
using ClipSae.Contracts;

namespace ClipSae.Clip;

/// <summary>
/// CLIP's byte-level byte-pair tokenizer. Ids: the 256 byte symbols, the same at a word's end, one a merge, start of text,
/// end of text. Safe to use from several threads.
/// </summary>
public sealed class ClipTokenizer
{
    /// <summary>OpenAI's file lists more merges than the model uses (simple_tokenizer.py: 49152 − 256 − 2).</summary>
    private const int MostMerges = 49152 - 256 - 2;

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

    /// <summary>Loads a vocabulary in OpenAI's format: a heading line, then one merge a line; gzip is recognised by its content.</summary>
    /// <exception cref="UserErrorException">The file is missing or has a line that is not a merge; names file and line.</exception>
    public static ClipTokenizer Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var zipped = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
            file.Position = 0;
            using Stream text = zipped ? new GZipStream(file, CompressionMode.Decompress) : file;
            using var reader = new StreamReader(text);
            return new ClipTokenizer(ReadMerges(reader, path).ToList());
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{path}: cannot be read as a tokenizer vocabulary: {failure.Message}");
        }
    }

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

    private static IEnumerable<(string Left, string Right)> ReadMerges(StreamReader reader, string path)
    {
        var number = 1;
        _ = reader.ReadLine();
        for (var count = 0; count < MostMerges && reader.ReadLine() is { Length: > 0 } line; count++)
        {
            number++;
            yield return line.Split(' ') is [var left, var right]
                ? (left, right)
                : throw new UserErrorException($"{path}: line {number} is not a merge of two symbols; the file is not a CLIP vocabulary (bpe_simple_vocab…)");
        }
    }
}
