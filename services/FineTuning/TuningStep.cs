using ClipSae.Tensors;
using ClipSae.Clip;
using ClipSae.Datasets;
using static TorchSharp.torch;

namespace ClipSae.FineTuning;

/// <summary>
/// One optimizer step's gradients. All its forwards are first run without gradients, the loss and its gradient with respect to every feature are
/// taken over the whole step at once, then each forward is run again and its features' gradients are sent back (GradCache, arXiv 2101.06983): the
/// gradients are those of one big batch, whatever the accumulation. With one forward a step the second pass is spared.
/// </summary>
/// <param name="captions">Captions of the clean images, then of the attacks.</param>
public sealed class TuningStep(
    ClipModel model, TuningData data, CaptionTable captions, AttackForward attackForward, FineTuningOptions options, Device device)
{
    private readonly BatchOrder _clean = new(data.Clean.Count, options.CleanBatch * options.Accumulation, options.Seed, "clean order");
    private readonly BatchOrder _attacks = new(data.Attacks.Count, options.AttackBatch * options.Accumulation, options.Seed, "attack order");

    /// <summary>Figures of a step, scalars on the device, not read back here.</summary>
    public sealed record Figures(Tensor Loss, Tensor CleanLoss, Tensor? AttackLoss, Tensor? Penalty);

    /// <summary>Adds the step's gradients to the parameters.</summary>
    /// <param name="withAttacks">False in the steps after the attack share is used up.</param>
    public Figures Backward(long step, bool withAttacks)
    {
        var random = new SeededRandom(options.Seed, "tuning captions", step);
        var cleanItems = _clean.Batch(step);
        var attackItems = withAttacks ? _attacks.Batch(step) : [];
        // Attacks follow the clean images in the table, so that equal captions of both halves are one text.
        var captionedItems = withAttacks && attackForward.Captions ? [.. cleanItems, .. attackItems.Select(i => data.Clean.Count + i)] : cleanItems;
        var (tokens, caption) = captions.Batch(captionedItems, random.Next);
        caption = caption.to(device);
        return options.Accumulation == 1
            ? BackwardWhole(cleanItems, attackItems, tokens, caption)
            : BackwardCached(cleanItems, attackItems, tokens, caption);
    }

    private Figures BackwardWhole(int[] cleanItems, int[] attackItems, Tensor tokens, Tensor caption)
    {
        // In one pass: half as many weights to make from their geometry, and half as many operations to start.
        var (all, penalty) = Encode(cleanItems, attackItems, attackForward.Penalises);
        var images = attackForward.Captions ? all : all.narrow(0, 0, cleanItems.Length);
        var texts = EncodeText(tokens);
        var loss = ContrastiveLoss.Of(options.Loss, images, texts, caption, model.LogitScale, options.LabelSmoothing);
        (penalty is null ? loss : loss.Plus(penalty)).backward();
        model.Training?.CompleteBackward();
        return Describe(loss, images, texts, caption, cleanItems.Length, penalty);
    }

    private Figures BackwardCached(int[] cleanItems, int[] attackItems, Tensor tokens, Tensor caption)
    {
        var cleanChunks = cleanItems.Chunk(options.CleanBatch).ToArray();
        var attackChunks = attackItems.Chunk(options.AttackBatch).ToArray();
        var textChunks = tokens.split(Math.Max(1, (tokens.shape[0] + options.Accumulation - 1) / options.Accumulation));
        var captioned = attackForward.Captions;
        Tensor images, texts;
        using (no_grad())
        {
            // The hinge has no part in the contrastive loss: its controls wait for the second pass.
            var parts = cleanChunks.Select(c => Encode(c, [], penalises: false).Embeddings);
            images = cat([.. captioned ? parts.Concat(attackChunks.Select(c => Encode([], c, penalises: false).Embeddings)) : parts]);
            texts = cat([.. textChunks.Select(EncodeText)]);
        }

        images.requires_grad_();
        texts.requires_grad_();
        var loss = ContrastiveLoss.Of(options.Loss, images, texts, caption, model.LogitScale, options.LabelSmoothing);
        loss.backward();
        long row = 0;
        foreach (var chunk in cleanChunks)
        {
            using var scope = NewDisposeScope();
            SendBack(Encode(chunk, [], penalises: false).Embeddings, images.grad!, row);
            row += chunk.Length;
        }

        var penalties = new List<Tensor>();
        foreach (var chunk in attackChunks)
        {
            using var scope = NewDisposeScope();
            var (attacked, penalty) = Encode([], chunk, attackForward.Penalises);
            // The surrogate's gradient with respect to the features is the cached one.
            var surrogate = captioned ? (attacked * images.grad!.narrow(0, row, chunk.Length)).sum() : zeros(1, device: device).sum();
            if (penalty is not null)
            {
                surrogate = surrogate.Plus(penalty.Over(attackChunks.Length));
                penalties.Add(penalty.detach().Over(attackChunks.Length).MoveToOuterDisposeScope());
            }

            if (surrogate.requires_grad)
            {
                surrogate.backward();
                model.Training?.CompleteBackward();
            }

            row += chunk.Length;
        }

        row = 0;
        foreach (var chunk in textChunks)
        {
            using var scope = NewDisposeScope();
            SendBack(EncodeText(chunk), texts.grad!, row);
            row += chunk.shape[0];
        }

        return Describe(loss, images, texts, caption, cleanItems.Length, penalties.Count == 0 ? null : stack([.. penalties]).sum());
    }

    // Trimmed before they go to the device, so that nothing has to wait for it.
    private Tensor EncodeText(Tensor tokens) => model.EncodeTrimmedText(ClipModel.Trim(tokens).to(device));

    // Features of a tower whose every part is frozen lead nowhere back.
    private void SendBack(Tensor features, Tensor gradients, long row)
    {
        if (features.requires_grad)
        {
            features.backward([gradients.narrow(0, row, features.shape[0])]);
            model.Training?.CompleteBackward();
        }
    }

    private (Tensor Embeddings, Tensor? Penalty) Encode(int[] cleanItems, int[] attackItems, bool penalises)
    {
        if (attackItems.Length == 0)
        {
            return (model.EncodeImage(data.Clean.Images(cleanItems, device)), null);
        }

        var controls = penalises ? CaptionedPixels.Images(data.Controls, attackItems, device) : null;
        var attacks = data.Attacks.Images(attackItems, device);
        var images = cleanItems.Length == 0 ? attacks : cat([data.Clean.Images(cleanItems, device), attacks]);
        return attackForward.Run(model, images, cleanItems.Length, controls);
    }

    private Figures Describe(Tensor loss, Tensor images, Tensor texts, Tensor caption, int cleanCount, Tensor? penalty)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var perImage = ContrastiveLoss.PerImage(images, texts, caption, model.LogitScale);
        var clean = perImage.narrow(0, 0, cleanCount).mean();
        var attacked = perImage.shape[0] > cleanCount ? perImage.narrow(0, cleanCount, perImage.shape[0] - cleanCount).mean() : null;
        return new Figures(
            loss.detach().MoveToOuterDisposeScope(), clean.MoveToOuterDisposeScope(), attacked?.MoveToOuterDisposeScope(), penalty?.detach().MoveToOuterDisposeScope());
    }
}
