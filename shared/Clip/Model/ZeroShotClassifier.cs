using ClipSae.Clip.Tokenizers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ClipSae.Clip.Model;

/// <summary>
/// Zero-shot classification: each class is the mean of its prompts' normalised embeddings, normalised again (arXiv 2103.00020, section
/// 3.1.4).
/// </summary>
public sealed class ZeroShotClassifier : IDisposable
{
    private readonly Tensor _classes;
    private readonly Tensor _scale;

    private ZeroShotClassifier(IReadOnlyList<string> names, Tensor classes, Tensor scale) =>
        (Names, _classes, _scale) = (names, classes, scale);

    /// <summary>The classes, in the order of the logits' columns.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Text embeddings [classes, embed], of length 1.</summary>
    public Tensor Embeddings => _classes;

    /// <summary>Embeds the prompts of each class once.</summary>
    /// <param name="templates">With <c>{}</c> where the class name goes, for example <c>a photo of a {}</c>.</param>
    /// <exception cref="UserErrorException">No class, no template, a template without <c>{}</c>, or a prompt longer than the
    /// context.</exception>
    public static ZeroShotClassifier Create(
        ClipModel model,
        ClipTokenizer tokenizer,
        IReadOnlyList<string> names,
        IReadOnlyList<string> templates
    )
    {
        UserErrorException.ThrowIf(
            names.Count == 0 || templates.Count == 0 || templates.Any(t => !t.Contains("{}", StringComparison.Ordinal)),
            "zero-shot classification needs at least one class and one template that contains {}, for example \"a photo of a {}\""
        );

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var context = model.Architecture.ContextLength;
        var tokens = names
            .SelectMany(n => templates.Select(t => tokenizer.EncodePrompt(t.Replace("{}", n, StringComparison.Ordinal), context)))
            .ToArray();
        var device = model.LogitScale.device;
        var embeddings = new List<Tensor>();
        foreach (var chunk in tokens.Chunk(256))
        {
            embeddings.Add(
                model.EncodeText(tensor(chunk.SelectMany(t => t).ToArray(), new long[] { chunk.Length, context }, device: device))
            );
        }

        var perPrompt = functional.normalize(cat(embeddings).to(ScalarType.Float32), dim: 1).view(names.Count, templates.Count, -1);
        var classes = functional.normalize(perPrompt.mean(new long[] { 1 }), dim: 1);
        return new ZeroShotClassifier(
            names,
            classes.DetachFromDisposeScope(),
            model.LogitScale.detach().to(ScalarType.Float32).exp().DetachFromDisposeScope()
        );
    }

    /// <summary>exp(logit_scale) · cosine.</summary>
    /// <param name="imageEmbeddings">[batch, embed], not normalised.</param>
    /// <returns>float32 [batch, classes].</returns>
    public Tensor Logits(Tensor imageEmbeddings)
    {
        using var scope = NewDisposeScope();
        return (
            _scale * functional.normalize(imageEmbeddings.to(ScalarType.Float32), dim: 1).matmul(_classes.t())
        ).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _classes.Dispose();
        _scale.Dispose();
    }
}
