using ClipSae.Clip;
using ClipSae.Contracts;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>Text embeddings of classes: the mean of the normalised embeddings of all prompts, normalised again (CLIP, section 3.1.4).</summary>
internal static class ClassTexts
{
    private const int Batch = 256;

    /// <param name="model">The model.</param>
    /// <param name="names">Class names.</param>
    /// <param name="templates">Prompts in which <c>{}</c> is the name.</param>
    /// <returns>Unit rows [names, embed], float32.</returns>
    /// <exception cref="UserErrorException">A prompt is longer than the model's context: cut, it might no longer name its class.</exception>
    public static torch.Tensor Embed(ClipModel model, ClipTokenizer tokenizer, IReadOnlyList<string> names, IReadOnlyList<string> templates, torch.Device device)
    {
        using var scope = torch.NewDisposeScope();
        var context = model.Architecture.ContextLength;
        var prompts = names.SelectMany(name => templates.Select(template => template.Replace("{}", name, StringComparison.Ordinal))).ToArray();
        var rows = new List<torch.Tensor>();
        foreach (var chunk in prompts.Chunk(Batch))
        {
            using var step = torch.NewDisposeScope();
            var tokens = torch.tensor([.. chunk.SelectMany(prompt => Tokens(tokenizer, prompt, context))], [chunk.Length, context], dtype: torch.int64);
            rows.Add(Unit(model.EncodeText(tokens.to(device)).to(torch.float32)).cpu().MoveToOuterDisposeScope());
        }

        var all = torch.cat(rows).view(names.Count, templates.Count, -1);
        return Unit(all.mean([1L])).MoveToOuterDisposeScope();
    }

    private static long[] Tokens(ClipTokenizer tokenizer, string prompt, int context)
    {
        var tokens = tokenizer.Encode(prompt, context, out var truncated);
        return truncated
            ? throw new UserErrorException($"the prompt \"{prompt}\" is longer than the model's {context} tokens: shorten the class name or evaluation.templates")
            : tokens;
    }

    /// <summary>Rows scaled to length 1.</summary>
    public static torch.Tensor Unit(torch.Tensor rows) => torch.nn.functional.normalize(rows, 2, -1);
}
