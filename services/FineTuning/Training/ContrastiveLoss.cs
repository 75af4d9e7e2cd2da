using ClipSae.Clip.Model;
using ClipSae.FineTuning.Settings;
using ClipSae.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ClipSae.FineTuning.Training;

/// <summary>
/// Losses on pairs of images and captions: symmetric InfoNCE of CLIP (arXiv 2103.00020, figure 3) and SigLIP's sigmoid, in which images
/// with equal captions are positives of one another. Each different caption is encoded once; its multiplicity enters as a weight, which
/// gives the same value as the full batch × batch matrix.
/// </summary>
public static class ContrastiveLoss
{
    private const double CompatTemperature = 0.07;

    /// <summary>The loss that the options name; <see cref="TuningLoss.Symmetric"/> is the one that the model was made with.</summary>
    public static Tensor Of(TuningLoss kind, Tensor images, Tensor texts, Tensor caption, ClipModel model, double smoothing) =>
        kind switch
        {
            TuningLoss.Compat => Compat(images, texts, caption, smoothing),
            _ when model.LogitBias is { } bias => Pairwise(images, texts, caption, model.LogitScale, bias, smoothing),
            _ => Symmetric(images, texts, caption, model.LogitScale, smoothing),
        };

    /// <summary>
    /// The image-to-text half of the model's loss for each image, [batch], without smoothing: to follow parts of a batch.
    /// </summary>
    public static Tensor PerImage(Tensor images, Tensor texts, Tensor caption, ClipModel model) =>
        model.LogitBias is { } bias
            ? PairsOfImages(images, texts, caption, model.LogitScale, bias, smoothing: 0)
            : PerImage(images, texts, caption, model.LogitScale);

    /// <summary>The loss, a scalar.</summary>
    /// <param name="images">Image embeddings [batch, embed], not yet normalised.</param>
    /// <param name="texts">Embeddings [captions, embed] of the different captions, not yet normalised.</param>
    /// <param name="caption">Row of <paramref name="texts"/> for each image, int64 [batch].</param>
    /// <param name="logitScale">CLIP's logit_scale (a logarithm), a scalar; its exponential is clamped to 100.</param>
    /// <param name="smoothing">Label smoothing ε: this share of each target is spread evenly over the batch.</param>
    public static Tensor Symmetric(Tensor images, Tensor texts, Tensor caption, Tensor logitScale, double smoothing = 0)
    {
        using var scope = NewDisposeScope();
        var batch = images.shape[0];
        var scale = logitScale.exp().AtMost(100);
        var logits = scale * functional.normalize(images, dim: 1).matmul(functional.normalize(texts, dim: 1).t());
        var counts = Counts(caption, texts.shape[0]);

        var matching = logits.gather(1, caption.unsqueeze(1)).squeeze(1);
        var overTexts = logsumexp(logits.Plus(counts.log().unsqueeze(0)), dim: 1);
        var overImages = logsumexp(logits, dim: 0);
        var imageToText = (overTexts - matching).mean();
        var textToImage = (overImages.index_select(0, caption) - matching).mean();
        if (smoothing > 0)
        {
            var share = counts.Over(batch);
            imageToText = imageToText.Times(1 - smoothing).Plus((overTexts - logits.matmul(share)).mean().Times(smoothing));
            textToImage = textToImage
                .Times(1 - smoothing)
                .Plus((share * (overImages - logits.mean(new long[] { 0 }))).sum().Times(smoothing));
        }

        return imageToText.Plus(textToImage).Over(2).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// SigLIP's loss (arXiv 2303.15343, algorithm 1): each pair of the batch is judged by itself, −ln σ(±(exp(scale)·cosine + bias)),
    /// summed over the texts and averaged over the images. Images with equal captions match all of these; the scale is not clamped.
    /// </summary>
    /// <param name="images">Image embeddings [batch, embed], not yet normalised.</param>
    /// <param name="texts">Embeddings [captions, embed] of the different captions, not yet normalised.</param>
    /// <param name="caption">Row of <paramref name="texts"/> for each image, int64 [batch].</param>
    /// <param name="logitScale">Logarithm of the factor on cosines, a scalar.</param>
    /// <param name="logitBias">What is added to scaled cosines, a scalar.</param>
    /// <param name="smoothing">Label smoothing ε: this share of each target is spread evenly over the batch, as in
    /// <see cref="Symmetric"/>.</param>
    public static Tensor Pairwise(Tensor images, Tensor texts, Tensor caption, Tensor logitScale, Tensor logitBias, double smoothing = 0)
    {
        using var scope = NewDisposeScope();
        return PairsOfImages(images, texts, caption, logitScale, logitBias, smoothing).mean().MoveToOuterDisposeScope();
    }

    // −y·ln σ(z) − (1 − y)·ln σ(−z) = −ln σ(−z) − y·z, with y = (1 − ε)·match + ε/batch.
    private static Tensor PairsOfImages(Tensor images, Tensor texts, Tensor caption, Tensor logitScale, Tensor logitBias, double smoothing)
    {
        using var scope = NewDisposeScope();
        var logits = (logitScale.exp() * functional.normalize(images, dim: 1).matmul(functional.normalize(texts, dim: 1).t())).Plus(
            logitBias
        );
        var counts = Counts(caption, texts.shape[0]);
        var matching = logits.gather(1, caption.unsqueeze(1)).squeeze(1) * counts.index_select(0, caption);
        var loss = (functional.logsigmoid(logits.neg()).neg() * counts).sum(1) - matching.Times(1 - smoothing);
        return (smoothing == 0 ? loss : loss - (logits * counts).sum(1).Times(smoothing / images.shape[0])).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The loss of the upstream project, for comparison alone: each image's row of logits and each text's are scaled to length 1 (so that
    /// logit_scale cancels) and their products, over a fixed temperature, are distinguished. Equal captions count as negatives, as they do
    /// there.
    /// </summary>
    /// <param name="images">Image embeddings [batch, embed], not yet normalised.</param>
    /// <param name="texts">Embeddings [captions, embed] of the different captions, not yet normalised.</param>
    /// <param name="caption">Row of <paramref name="texts"/> for each image, int64 [batch].</param>
    /// <param name="smoothing">Label smoothing ε.</param>
    public static Tensor Compat(Tensor images, Tensor texts, Tensor caption, double smoothing)
    {
        using var scope = NewDisposeScope();
        var cosines = functional.normalize(images, dim: 1).matmul(functional.normalize(texts, dim: 1).t()).index_select(1, caption);
        var logits = functional.normalize(cosines, dim: 1).matmul(functional.normalize(cosines.t(), dim: 1).t()).Over(CompatTemperature);
        var target = TensorArithmetic.Range(images.shape[0], device: images.device);
        var imageToText = functional.cross_entropy(logits, target, label_smoothing: smoothing);
        var textToImage = functional.cross_entropy(logits.t(), target, label_smoothing: smoothing);
        return imageToText.Plus(textToImage).Over(2).MoveToOuterDisposeScope();
    }

    /// <summary>The image-to-text half of <see cref="Symmetric"/> for each image, [batch], without smoothing.</summary>
    public static Tensor PerImage(Tensor images, Tensor texts, Tensor caption, Tensor logitScale)
    {
        using var scope = NewDisposeScope();
        var logits = logitScale.exp().AtMost(100) * functional.normalize(images, dim: 1).matmul(functional.normalize(texts, dim: 1).t());
        var counts = Counts(caption, texts.shape[0]);
        var matching = logits.gather(1, caption.unsqueeze(1)).squeeze(1);
        return (logsumexp(logits.Plus(counts.log().unsqueeze(0)), dim: 1) - matching).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Images of each caption, float32 [captions]: libtorch's own count has the device finish first, to look at the largest.
    /// </summary>
    private static Tensor Counts(Tensor caption, long captions) =>
        zeros(captions, device: caption.device).scatter_add_(0, caption, ones(caption.shape[0], device: caption.device));
}
