using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Data;

/// <summary>Labelled images that training never sees, at least one.</summary>
/// <param name="Pixels">uint8 [images, 3, R, R].</param>
/// <param name="Labels">What they show.</param>
/// <param name="Candidates">Classes (and, for attacks, printed words) among which the model decides.</param>
public sealed record ValidationSet(Tensor Pixels, IReadOnlyList<string> Labels, IReadOnlyList<string> Candidates) : IDisposable
{
    private const int Batch = 128;

    /// <summary>Share of images whose label wins zero-shot. Nothing is scaled or hooked here.</summary>
    public double Accuracy(
        ClipModel model,
        ClipTokenizer tokenizer,
        IReadOnlyList<string> templates,
        Device device,
        CancellationToken cancel = default
    ) => Measure(model, tokenizer, templates, device, cancel).Accuracy;

    /// <summary>The accuracy, and whether the images' embeddings still differ.</summary>
    public (double Accuracy, EmbeddingHealth Embeddings) Measure(
        ClipModel model,
        ClipTokenizer tokenizer,
        IReadOnlyList<string> templates,
        Device device,
        CancellationToken cancel = default
    )
    {
        using var scope = NewDisposeScope();
        var all = new List<Tensor>();
        var decisions = Decide(model, tokenizer, templates, device, all, cancel);
        return (decisions.Zip(Labels).Count(pair => pair.First == pair.Second) / (double)Labels.Count, EmbeddingHealth.Of(cat(all)));
    }

    /// <summary>What each image is taken for.</summary>
    public IReadOnlyList<string> Decisions(
        ClipModel model,
        ClipTokenizer tokenizer,
        IReadOnlyList<string> templates,
        Device device,
        CancellationToken cancel = default
    )
    {
        using var scope = NewDisposeScope();
        return Decide(model, tokenizer, templates, device, [], cancel);
    }

    /// <param name="all">Gets the embeddings, batch by batch, in the caller's dispose scope.</param>
    private List<string> Decide(
        ClipModel model,
        ClipTokenizer tokenizer,
        IReadOnlyList<string> templates,
        Device device,
        List<Tensor> all,
        CancellationToken cancel
    )
    {
        using var noGrad = no_grad();
        using var classifier = ZeroShotClassifier.Create(model, tokenizer, Candidates, templates);
        var decided = new List<string>();
        for (var from = 0; from < Labels.Count; from += Batch)
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var count = Math.Min(Batch, Labels.Count - from);
            var images = model.Architecture.Family.Normalization.Apply(Pixels.narrow(0, from, count).to(device));
            var embeddings = model.EncodeImage(images);
            all.Add(embeddings.to(ScalarType.Float32).MoveToOuterDisposeScope());
            decided.AddRange(
                classifier.Logits(embeddings).argmax(1).cpu().data<long>().ToArray().Select(decision => Candidates[(int)decision])
            );
        }

        return decided;
    }

    public void Dispose() => Pixels.Dispose();
}
