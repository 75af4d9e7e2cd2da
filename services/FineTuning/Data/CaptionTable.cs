using ClipSae.Clip.Tokenizers;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Data;

/// <summary>Every different caption of a data set, tokenised once.</summary>
public sealed class CaptionTable : IDisposable
{
    private readonly Tensor _tokens;
    private readonly int[][] _rowsOfItem;

    /// <param name="captionsOfItem">One or more captions for each item; one of them is drawn at every use.</param>
    /// <param name="tokenizer">Of the checkpoint.</param>
    /// <param name="context">Context length of the text tower; longer captions are cut.</param>
    public CaptionTable(IReadOnlyList<IReadOnlyList<string>> captionsOfItem, ClipTokenizer tokenizer, int context)
    {
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        var ids = new List<long>();
        _rowsOfItem = new int[captionsOfItem.Count][];
        for (var item = 0; item < captionsOfItem.Count; item++)
        {
            _rowsOfItem[item] = new int[captionsOfItem[item].Count];
            for (var c = 0; c < captionsOfItem[item].Count; c++)
            {
                var caption = captionsOfItem[item][c];
                if (!rows.TryGetValue(caption, out var row))
                {
                    row = rows.Count;
                    rows.Add(caption, row);
                    ids.AddRange(tokenizer.Encode(caption, context, out var truncated));
                    TruncatedCount += truncated ? 1 : 0;
                }

                _rowsOfItem[item][c] = row;
            }
        }

        Count = rows.Count;
        _tokens = tensor(ids.ToArray(), new long[] { rows.Count, context }).DetachFromDisposeScope();
    }

    /// <summary>Number of different captions.</summary>
    public int Count { get; }

    /// <summary>How many of them were longer than the context.</summary>
    public int TruncatedCount { get; }

    /// <summary>Draws a caption for each item and gives the different ones among them.</summary>
    /// <param name="items">Items of a batch.</param>
    /// <param name="draw">Gives a number in [0, n) for an item that has n captions.</param>
    /// <returns>Token ids [captions, context] and for each item its row among them, int64 [batch].</returns>
    public (Tensor Tokens, Tensor Caption) Batch(ReadOnlySpan<int> items, Func<int, int> draw)
    {
        var position = new Dictionary<int, long>();
        var caption = new long[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            var choices = _rowsOfItem[items[i]];
            var row = choices.Length == 1 ? choices[0] : choices[draw(choices.Length)];
            if (!position.TryGetValue(row, out caption[i]))
            {
                caption[i] = position.Count;
                position.Add(row, caption[i]);
            }
        }

        using var rows = tensor(position.Keys.Select(r => (long)r).ToArray());
        return (_tokens.index_select(0, rows), tensor(caption));
    }

    public void Dispose() => _tokens.Dispose();
}
