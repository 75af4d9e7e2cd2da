using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using TorchSharp;

namespace ClipSae.Clip.Generators;

/// <summary>Prompts as an image generator tokenises them, and the hidden states that a text encoder makes of them.</summary>
public sealed class PromptStates : IDisposable
{
    private const int Batch = 16;

    private readonly torch.Tensor _tokens;
    private readonly torch.Tensor _ends;
    private readonly long[] _lengths;

    /// <param name="prompts">The texts; one that is too long is cut, as generators do.</param>
    /// <param name="context">Tokens of a text.</param>
    /// <param name="activation">OpenAI's has the end of the text repeated up to the context, as generators do with its encoder; LAION's,
    /// which are others, zeros.</param>
    public PromptStates(IReadOnlyList<string> prompts, ClipTokenizer tokenizer, int context, MlpActivation activation)
    {
        var padsWithEnd = activation == MlpActivation.QuickGelu;
        var rows = prompts.Select(prompt => tokenizer.Encode(prompt, context, out _)).ToList();
        _lengths = [.. rows.Select(row => (long)Array.IndexOf(row, tokenizer.EndOfText))];
        foreach (var (row, end) in rows.Zip(_lengths))
        {
            if (padsWithEnd)
            {
                Array.Fill(row, tokenizer.EndOfText, (int)end, row.Length - (int)end);
            }
        }

        Context = context;
        _tokens = torch
            .tensor(rows.SelectMany(row => row).ToArray(), [prompts.Count, context], dtype: torch.int64)
            .DetachFromDisposeScope();
        _ends = torch.tensor(_lengths, dtype: torch.int64).DetachFromDisposeScope();
    }

    /// <summary>Tokens of a text.</summary>
    public int Context { get; }

    /// <summary>The states that an encoder of a generator makes of all prompts; the caller owns them.</summary>
    public TextHiddenStates Of(GeneratorTextEncoder encoder, ClipArchitecture architecture, CancellationToken cancel) =>
        Of(architecture, encoder.Keys(architecture), encoder.Read, cancel);

    /// <summary>The states that a CLIP's text tower makes of all prompts, in the processor's memory; the caller owns them.</summary>
    public TextHiddenStates Of(ClipModel model, CancellationToken cancel) =>
        Of(
            model.Architecture,
            ClipKeys
                .Shapes(model.Architecture)
                .Select(shape => shape.Key)
                .Where(key => !key.StartsWith("visual.", StringComparison.Ordinal) && key != ClipKeys.LogitScale),
            key => model.Weight(key).detach().to(torch.float32),
            cancel
        );

    private TextHiddenStates Of(
        ClipArchitecture architecture,
        IEnumerable<string> keys,
        Func<string, torch.Tensor> read,
        CancellationToken cancel
    )
    {
        using var noGrad = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var weights = keys.ToDictionary(key => key, read, StringComparer.Ordinal);
        var device = weights[ClipKeys.Positions].device;
        var (tokens, ends) = (_tokens.to(device), _ends.to(device));
        var parts = new List<TextHiddenStates>();
        for (var at = 0L; at < _tokens.shape[0]; at += Batch)
        {
            cancel.ThrowIfCancellationRequested();
            var count = Math.Min(Batch, _tokens.shape[0] - at);
            parts.Add(TextHiddenStates.Compute(architecture, weights, tokens.narrow(0, at, count), ends.narrow(0, at, count)));
        }

        torch.Tensor All(Func<TextHiddenStates, torch.Tensor> of) => torch.cat([.. parts.Select(of)], 0).cpu().MoveToOuterDisposeScope();
        return new(All(part => part.Penultimate), All(part => part.Last), All(part => part.Pooled));
    }

    /// <summary>How far new states are from old ones.</summary>
    public IReadOnlyList<HiddenStateChange> Compare(TextHiddenStates old, TextHiddenStates @new) =>
        [
            .. Changes(HiddenStateChange.Penultimate, old.Penultimate, @new.Penultimate),
            .. Changes(HiddenStateChange.Last, old.Last, @new.Last),
            Change(HiddenStateChange.Pooled, TokenKind.Pooled, [.. Pairs(old.Pooled, @new.Pooled)]),
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
        var (from, to) = (old.data<float>().ToArray(), @new.data<float>().ToArray());
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
