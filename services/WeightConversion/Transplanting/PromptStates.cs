using ClipSae.Clip;
using ClipSae.Clip.Generators;
using TorchSharp;

namespace ClipSae.WeightConversion.Transplanting;

/// <summary>Prompts as an image generator tokenises them, and the hidden states that one of its encoders makes of them.</summary>
internal sealed class PromptStates : IDisposable
{
    private const int Batch = 16;

    private readonly torch.Tensor _tokens;
    private readonly torch.Tensor _ends;
    private readonly long[] _lengths;

    /// <param name="prompts">The texts; one that is too long is cut, as generators do.</param>
    /// <param name="context">Tokens of a text.</param>
    /// <param name="padsWithEnd">Whether the end of the text is repeated up to the context, as with OpenAI's encoder; zeros otherwise, as
    /// with LAION's.</param>
    public PromptStates(IReadOnlyList<string> prompts, ClipTokenizer tokenizer, int context, bool padsWithEnd)
    {
        var rows = prompts.Select(prompt => tokenizer.Encode(prompt, context, out _)).ToList();
        _lengths = [.. rows.Select(row => (long)Array.IndexOf(row, tokenizer.EndOfText))];
        foreach (var (row, end) in rows.Zip(_lengths))
        {
            if (padsWithEnd)
            {
                Array.Fill(row, tokenizer.EndOfText, (int)end, row.Length - (int)end);
            }
        }

        _tokens = torch.tensor(rows.SelectMany(row => row).ToArray(), [prompts.Count, context], dtype: torch.int64);
        _ends = torch.tensor(_lengths, dtype: torch.int64);
    }

    /// <summary>The states that an encoder makes of all prompts; the caller owns them.</summary>
    public TextHiddenStates Of(GeneratorTextEncoder encoder, ClipArchitecture architecture, CancellationToken cancel)
    {
        using var scope = torch.NewDisposeScope();
        var weights = encoder.Keys(architecture).ToDictionary(key => key, encoder.Read, StringComparer.Ordinal);
        var parts = new List<TextHiddenStates>();
        for (var at = 0L; at < _tokens.shape[0]; at += Batch)
        {
            cancel.ThrowIfCancellationRequested();
            var count = Math.Min(Batch, _tokens.shape[0] - at);
            parts.Add(TextHiddenStates.Compute(architecture, weights, _tokens.narrow(0, at, count), _ends.narrow(0, at, count)));
        }

        torch.Tensor All(Func<TextHiddenStates, torch.Tensor> of) => torch.cat([.. parts.Select(of)], 0).MoveToOuterDisposeScope();
        return new(All(part => part.Penultimate), All(part => part.Last), All(part => part.Pooled));
    }

    /// <summary>How far new states are from old ones.</summary>
    public IReadOnlyList<HiddenStateChange> Compare(TextHiddenStates old, TextHiddenStates @new) =>
        [
            .. Changes(Transplant.Penultimate, old.Penultimate, @new.Penultimate),
            .. Changes(Transplant.Last, old.Last, @new.Last),
            Change(Transplant.Pooled, TokenKind.Pooled, [.. Pairs(old.Pooled, @new.Pooled)]),
        ];

    public void Dispose()
    {
        _tokens.Dispose();
        _ends.Dispose();
    }

    private IEnumerable<HiddenStateChange> Changes(string state, torch.Tensor old, torch.Tensor @new)
    {
        var pairs = Pairs(old, @new);
        var context = pairs.Length / _lengths.Length;
        return pairs
            .Select((pair, at) => (Kind: KindOf(at % context, _lengths[at / context]), Pair: pair))
            .GroupBy(token => token.Kind, token => token.Pair)
            .OrderBy(kind => kind.Key)
            .Select(kind => Change(state, kind.Key, [.. kind]));
    }

    private static TokenKind KindOf(int place, long end) =>
        place == 0 ? TokenKind.Start
        : place < end ? TokenKind.Prompt
        : TokenKind.Padding;

    private static HiddenStateChange Change(string state, TokenKind kind, IReadOnlyList<(double Cosine, double NormRatio)> pairs) =>
        new(
            state,
            kind,
            pairs.Count,
            pairs.Average(pair => pair.Cosine),
            pairs.Min(pair => pair.Cosine),
            pairs.Average(pair => pair.NormRatio)
        );

    /// <returns>Cosine and ratio of norms of every two states, which are along the last axis.</returns>
    private static (double Cosine, double NormRatio)[] Pairs(torch.Tensor old, torch.Tensor @new)
    {
        var width = (int)old.shape[^1];
        float[] from = [.. old.data<float>()],
            to = [.. @new.data<float>()];
        return
        [
            .. Enumerable.Range(0, from.Length / width).Select(row => Pair(from.AsSpan(row * width, width), to.AsSpan(row * width, width))),
        ];
    }

    // In double precision, so that equal states have a cosine of 1.
    private static (double Cosine, double NormRatio) Pair(ReadOnlySpan<float> old, ReadOnlySpan<float> @new)
    {
        double product = 0,
            ofOld = 0,
            ofNew = 0;
        for (var i = 0; i < old.Length; i++)
        {
            product += (double)old[i] * @new[i];
            ofOld += (double)old[i] * old[i];
            ofNew += (double)@new[i] * @new[i];
        }

        return (Math.Clamp(product / Math.Sqrt(ofOld * ofNew), -1, 1), Math.Sqrt(ofNew / ofOld));
    }
}
