using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Pipeline;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>The CLIP that the activations come from, its tokenizer, and where in it they were taken.</summary>
public sealed record ClipInputs(ClipModel Model, ClipTokenizer Tokenizer, HookPoint Point, Device Device) : IDisposable
{
    private const int Batch = 256;

    /// <summary>Whether inputs <c>model</c> and <c>tokenizer</c> are given.</summary>
    public static bool AreThere(StageContext context) => context.Inputs.ContainsKey("model") && context.Inputs.ContainsKey("tokenizer");

    /// <summary>Inputs <c>model</c> and <c>tokenizer</c>, or null where one is not given.</summary>
    public static async Task<ClipInputs?> LoadAsync(StageContext context, Device device, CancellationToken cancel)
    {
        if (!AreThere(context))
        {
            return null;
        }

        var tokenizer = ClipTokenizer.Load(await context.FetchAsync("tokenizer", cancel));
        var model = ClipModel.Load(await context.FetchAsync("model", cancel), device);
        return new ClipInputs(model, tokenizer, HookPoint.OfAutoencoder(context.Unit).CheckedFor(model.Architecture), device);
    }

    /// <summary>Whether the model's context holds the whole text.</summary>
    public bool Holds(string text)
    {
        _ = Tokenizer.Encode(text, Model.Architecture.ContextLength, out var truncated);
        return !truncated;
    }

    /// <summary>Unit embeddings of texts [texts, embed].</summary>
    /// <exception cref="UserErrorException">One of the texts is longer than the model's context.</exception>
    public Tensor EncodeTexts(IReadOnlyList<string> texts)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var parts = texts.Chunk(Batch).Select(chunk =>
        {
            using var step = NewDisposeScope();
            var tokens = stack([.. chunk.Select(text => tensor(Tokenizer.EncodePrompt(text, Model.Architecture.ContextLength)))]).to(Device);
            return nn.functional.normalize(Model.EncodeText(tokens), 2, 1).MoveToOuterDisposeScope();
        });
        return cat([.. parts]).MoveToOuterDisposeScope();
    }

    public void Dispose() => Model.Dispose();
}
