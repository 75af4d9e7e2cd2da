using System.Collections.Concurrent;
using System.Text;

namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// CLIP's byte-level byte-pair tokenizer. Ids: the 256 byte symbols, the same at a word's end, one a merge, start of text,
/// end of text. Safe to use from several threads.
/// </summary>
public sealed class BytePairTokenizer : ClipTokenizer
{
    private readonly Dictionary<string, int> _idOfSymbol = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Left, string Right), int> _rankOfMerge = [];
    private readonly ConcurrentDictionary<string, int[]> _cache = new(StringComparer.Ordinal);

    internal BytePairTokenizer(IEnumerable<(string Left, string Right)> merges)
    {
        foreach (var symbol in BytePairs.Alphabet)
        {
            _idOfSymbol.Add(symbol.ToString(), _idOfSymbol.Count);
        }

        foreach (var symbol in BytePairs.Alphabet)
        {
            _idOfSymbol.Add(symbol + BytePairs.WordEnd, _idOfSymbol.Count);
        }

        // A merge takes its own id even when another merge spells the same symbol; the last one wins, as in the original.
        var id = _idOfSymbol.Count;
        foreach (var (left, right) in merges)
        {
            _rankOfMerge.TryAdd((left, right), _rankOfMerge.Count);
            _idOfSymbol[left + right] = id++;
        }

        StartOfText = id++;
        EndOfText = id++;
        VocabularySize = id;
        _cache[BytePairs.StartOfText] = [StartOfText];
        _cache[BytePairs.EndOfText] = [EndOfText];
    }

    public override int VocabularySize { get; }

    public int StartOfText { get; }

    public override int EndOfText { get; }

    /// <summary>Every symbol with its id: what <c>vocab.json</c> lists.</summary>
    public IEnumerable<KeyValuePair<string, int>> Vocabulary =>
        _idOfSymbol.Append(new(BytePairs.StartOfText, StartOfText)).Append(new(BytePairs.EndOfText, EndOfText));

    /// <summary>The merges in order of their rank.</summary>
    public IEnumerable<(string Left, string Right)> Merges => _rankOfMerge.OrderBy(merge => merge.Value).Select(merge => merge.Key);

    public override IEnumerable<string> Words =>
        Vocabulary
            .OrderBy(symbol => symbol.Value)
            .Where(symbol => symbol.Key.EndsWith(BytePairs.WordEnd, StringComparison.Ordinal))
            .Select(symbol => Text(symbol.Key[..^BytePairs.WordEnd.Length]))
            .OfType<string>();

    public override IEnumerable<int> Encode(string text) => CaptionText.Words(CaptionText.Clean(text)).SelectMany(EncodeWord);

    protected override (int? Start, int Padding) Frame => (StartOfText, 0);

    /// <summary>What a symbol says; null where it is a part of a letter's bytes.</summary>
    private static string? Text(string symbol)
    {
        var text = Encoding.UTF8.GetString([.. symbol.Select(BytePairs.ByteOf)]);
        return text.Contains('\uFFFD', StringComparison.Ordinal) ? null : text;
    }

    private int[] EncodeWord(string word) => _cache.GetOrAdd(word, w =>
        {
            var symbols = BytePairs.Symbols(w);
            while (symbols.Count > 1)
            {
                var best = symbols.Zip(symbols.Skip(1)).MinBy(pair => _rankOfMerge.GetValueOrDefault(pair, int.MaxValue));
                if (!_rankOfMerge.ContainsKey(best))
                {
                    break;
                }

                symbols = BytePairs.Merge(symbols, best.First, best.Second);
            }

            return [.. symbols.Select(s => _idOfSymbol[s])];
        });
}
