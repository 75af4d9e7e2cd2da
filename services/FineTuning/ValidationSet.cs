using ClipSae.Clip;
using static TorchSharp.torch;

namespace ClipSae.FineTuning;

/// <summary>Labelled images that training never sees, at least one.</summary>
/// <param name="Pixels">uint8 [images, 3, R, R].</param>
/// <param name="Labels">What they show.</param>
/// <param name="Candidates">Classes (and, for attacks, printed words) among which the model decides.</param>
public sealed record ValidationSet(Tensor Pixels, IReadOnlyList<string> Labels, IReadOnlyList<string> Candidates) : IDisposable
{
    private const int Batch = 128;

    /// <summary>Share of images whose label wins zero-shot. Nothing is scaled or hooked here.</summary>
    public double Accuracy(ClipModel model, ClipTokenizer tokenizer, IReadOnlyList<string> templates, Device device, CancellationToken cancel = default)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var classifier = ZeroShotClassifier.Create(model, tokenizer, Candidates, templates);
        var right = 0;
        for (var from = 0; from < Labels.Count; from += Batch)
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var count = Math.Min(Batch, Labels.Count - from);
            var images = PixelNormalization.Apply(Pixels.narrow(0, from, count).to(device));
            var decisions = classifier.Logits(model.EncodeImage(images)).argmax(1).cpu().data<long>().ToArray();
            right += decisions.Select((d, i) => Candidates[(int)d] == Labels[from + i]).Count(x => x);
        }

        return right / (double)Labels.Count;
    }

    public void Dispose() => Pixels.Dispose();
}
