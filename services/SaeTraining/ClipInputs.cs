using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>The CLIP that the activations come from, its tokenizer, and where in it they were taken.</summary>
public sealed record ClipInputs(ClipModel Model, ClipTokenizer Tokenizer, HookPoint Point, Device Device) : IDisposable
{
    private const int Batch = 256;

    /// <summary>Whether inputs <c>model</c> and <c>tokenizer</c> are given.</summary>
    public static bool AreThere(StageContext context) =>
        context.Inputs.ContainsKey(InputNames.Model) && context.Inputs.ContainsKey(InputNames.Tokenizer);

    /// <summary>Inputs <c>model</c> and <c>tokenizer</c>, or null where one is not given.</summary>
    public static async Task<ClipInputs?> LoadAsync(StageContext context, Device device, CancellationToken cancel)
    {
        if (!AreThere(context))
        {
            return null;
        }

        var tokenizer = ClipTokenizer.Load(await context.FetchAsync(InputNames.Tokenizer, cancel));
        var model = ClipModel.Load(await context.FetchAsync(InputNames.Model, cancel), device);
        return new ClipInputs(model, tokenizer, HookPoint.OfAutoencoder(context.Unit).CheckedFor(model.Architecture), device);
    }

    /// <summary>Whether the model's context holds the whole text.</summary>
    public bool Holds(string text)
    {
        _ = Tokenizer.Encode(text, Model.Architecture.ContextLength, out var truncated);
        return !truncated;
    }

    /// <summary>Unit embeddings of texts [texts, embed].</summary>
    /// <param name="replacement">Put in the place of what passes the hook point, padding left as it is; null changes nothing.</param>
    /// <exception cref="UserErrorException">One of the texts is longer than the model's context.</exception>
    public Tensor EncodeTexts(IReadOnlyList<string> texts, Func<Tensor, Tensor>? replacement = null)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var parts = texts
            .Chunk(Batch)
            .Select(chunk =>
            {
                using var step = NewDisposeScope();
                long[][] ids = [.. chunk.Select(text => Tokenizer.EncodePrompt(text, Model.Architecture.ContextLength))];
                var lengths = tensor(ids.Select(text => (long)Tokenizer.LengthOf(text)).ToArray(), device: Device);
                var hooks = replacement is null
                    ? null
                    : new Hooks().Replace(Point, values =>
                        Point.HasTokens
                            ? where(
                                TensorArithmetic.Range(values.shape[1], device: Device).less(lengths.unsqueeze(1)).unsqueeze(2),
                                replacement(values),
                                values
                            )
                            : replacement(values)
                    );
                return nn
                    .functional.normalize(Model.EncodeText(stack([.. ids.Select(text => tensor(text))]).to(Device), hooks), 2, 1)
                    .MoveToOuterDisposeScope();
            });
        return cat([.. parts]).MoveToOuterDisposeScope();
    }

    public void Dispose() => Model.Dispose();
}
