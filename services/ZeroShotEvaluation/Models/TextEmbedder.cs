using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.ZeroShotEvaluation.Sets;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>
/// Text embeddings: for each name the mean of the normalised embeddings of all prompts, normalised again (CLIP, section 3.1.4).
/// </summary>
internal static class TextEmbedder
{
    private const int Batch = 256;

    /// <exception cref="UserErrorException">A prompt is longer than the model's context and may not be cut: it might no longer name its
    /// class.</exception>
    public static TextTable Embed(
        ClipModel model,
        ClipTokenizer tokenizer,
        TextRequest request,
        torch.Device device,
        CancellationToken cancel = default
    )
    {
        var width = model.Architecture.EmbedDim;
        var values = new float[request.Names.Count * width];
        var (done, cut) = (0, 0);
        foreach (var names in request.Names.Chunk(Math.Max(1, Batch / request.Templates.Count)))
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = torch.NewDisposeScope();
            var context = model.Architecture.ContextLength;
            string[] prompts =
            [
                .. names.SelectMany(name => request.Templates.Select(template => template.Replace("{}", name, StringComparison.Ordinal))),
            ];
            var tokens = torch.tensor(
                [.. prompts.SelectMany(prompt => Tokens(prompt, context))],
                [prompts.Length, context],
                dtype: torch.int64
            );
            var embeddings = Unit(model.EncodeText(tokens.to(device)).to(torch.float32)).view(names.Length, request.Templates.Count, -1);
            Unit(embeddings.mean([1L])).cpu().data<float>().CopyTo(values.AsSpan(done * width));
            done += names.Length;
        }

        return new TextTable(values, width, cut);

        long[] Tokens(string prompt, int context)
        {
            if (!request.MayCut)
            {
                return tokenizer.EncodePrompt(prompt, context);
            }

            var tokens = tokenizer.Encode(prompt, context, out var truncated);
            cut += truncated ? 1 : 0;
            return tokens;
        }
    }

    private static torch.Tensor Unit(torch.Tensor rows) => torch.nn.functional.normalize(rows, 2, -1);
}
