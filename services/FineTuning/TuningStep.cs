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

    /// <summary>Figures of a step, scalars on the device, not read back here: the contrastive loss, or the arm's own where it uses no captions, and its parts.</summary>
    public sealed record Figures(Tensor Loss, Tensor? CleanLoss, Tensor? AttackLoss, Tensor? Penalty);

    /// <summary>Adds the step's gradients to the parameters.</summary>
    /// <param name="withAttacks">False in the steps after the attack share is used up.</param>
    public Figures Backward(long step, bool withAttacks)
    {
        var random = new SeededRandom(options.Seed, "tuning captions", step);
        var cleanItems = _clean.Batch(step);
        var attackItems = withAttacks ? _attacks.Batch(step) : [];
        if (!attackForward.Arm.UsesCaptions)
        {
            return BackwardUncaptioned(cleanItems, attackItems);
        }

        // Attacks follow the clean images in the table, so that equal captions of both halves are one text.
        var captionedItems = withAttacks && attackForward.Arm.CaptionsAttacks ? [.. cleanItems, .. attackItems.Select(i => data.Clean.Count + i)] : cleanItems;
        var (tokens, caption) = captions.Batch(captionedItems, random.Next);
        caption = caption.to(device);
        return options.Accumulation == 1
            ? BackwardWhole(cleanItems, attackItems, tokens, caption)
            : BackwardCached(cleanItems, attackItems, tokens, caption);
    }

    private Figures BackwardWhole(int[] cleanItems, int[] attackItems, Tensor tokens, Tensor caption)
    {
        // In one pass: half as many weights to make from their geometry, and half as many operations to start.
        var (all, penalty) = Encode(cleanItems, attackItems, withLoss: true);
        var images = attackForward.Arm.CaptionsAttacks ? all : all.narrow(0, 0, cleanItems.Length);
        var texts = EncodeText(tokens);
        var loss = ContrastiveLoss.Of(options.Loss, images, texts, caption, model.LogitScale, options.LabelSmoothing);
        SendBack(penalty is null ? loss : loss.Plus(penalty));
        return Describe(loss, images, texts, caption, cleanItems.Length, penalty);
    }

    // No image is another's negative: every forward goes back by itself, and each part of the batch once.
    private Figures BackwardUncaptioned(int[] cleanItems, int[] attackItems)
    {
        var passes = options.Accumulation == 1 ? [(cleanItems, attackItems)] : Passes(cleanItems, attackItems).ToArray();
        var losses = new List<Tensor>();
        foreach (var (clean, attacks) in passes)
        {
            using var scope = NewDisposeScope();
            if (Share(Encode(clean, attacks, withLoss: true).Penalty) is { } loss)
            {
                SendBack(loss);
                losses.Add(loss.detach().MoveToOuterDisposeScope());
            }
        }

        var sum = stack([.. losses]).sum();
        return new Figures(sum, null, null, sum);
    }

    /// <summary>A step in as many forwards as it accumulates, clean images apart from attacks.</summary>
    private IEnumerable<(int[] Clean, int[] Attacks)> Passes(int[] cleanItems, int[] attackItems) =>
        cleanItems.Chunk(options.CleanBatch).Select(chunk => (chunk, Array.Empty<int>())).Concat(attackItems.Chunk(options.AttackBatch).Select(chunk => (Array.Empty<int>(), chunk)));

    // Means over equal parts of a batch average to the batch's mean.
    private Tensor? Share(Tensor? loss) => loss?.Over(options.Accumulation);

    private Figures BackwardCached(int[] cleanItems, int[] attackItems, Tensor tokens, Tensor caption)
    {
        var passes = Passes(cleanItems, attackItems).ToArray();
        var textChunks = tokens.split(Math.Max(1, (tokens.shape[0] + options.Accumulation - 1) / options.Accumulation));
        bool IsCaptioned((int[] Clean, int[] Attacks) pass) => pass.Attacks.Length == 0 || attackForward.Arm.CaptionsAttacks;
        Tensor images, texts;
        using (no_grad())
        {
            // The arm's own loss has no part in the contrastive one: what it needs waits for the second pass.
            images = cat([.. passes.Where(IsCaptioned).Select(pass => Encode(pass.Clean, pass.Attacks, withLoss: false).Embeddings)]);
            texts = cat([.. textChunks.Select(EncodeText)]);
        }

        images.requires_grad_();
        texts.requires_grad_();
        var loss = ContrastiveLoss.Of(options.Loss, images, texts, caption, model.LogitScale, options.LabelSmoothing);
        SendBack(loss);
        long row = 0;
        var penalties = new List<Tensor>();
        foreach (var pass in passes)
        {
            using var scope = NewDisposeScope();
            var (embeddings, penalty) = Encode(pass.Clean, pass.Attacks, withLoss: true);
            penalty = Share(penalty);
            // The surrogate's gradient with respect to the features is the cached one.
            var surrogate = IsCaptioned(pass) ? (embeddings * images.grad!.narrow(0, row, embeddings.shape[0])).sum() : null;
            if (penalty is not null)
            {
                surrogate = surrogate is null ? penalty : surrogate.Plus(penalty);
                penalties.Add(penalty.detach().MoveToOuterDisposeScope());
            }

            if (surrogate is not null)
            {
                SendBack(surrogate);
            }

            row += embeddings.shape[0];
        }

        row = 0;
        foreach (var chunk in textChunks)
        {
            using var scope = NewDisposeScope();
            var features = EncodeText(chunk);
            SendBack((features * texts.grad!.narrow(0, row, chunk.shape[0])).sum());
            row += chunk.shape[0];
        }

        return Describe(loss, images, texts, caption, cleanItems.Length, penalties.Count == 0 ? null : stack([.. penalties]).sum());
    }

    // Trimmed before they go to the device, so that nothing has to wait for it.
    private Tensor EncodeText(Tensor tokens) => model.EncodeTrimmedText(ClipModel.Trim(tokens).to(device));

    // What follows from parts alone that are all frozen leads nowhere back.
    private void SendBack(Tensor loss)
    {
        if (loss.requires_grad)
        {
            loss.backward();
            model.Training?.CompleteBackward();
        }
    }

    private (Tensor Embeddings, Tensor? Penalty) Encode(int[] cleanItems, int[] attackItems, bool withLoss)
    {
        if (attackItems.Length == 0)
        {
            return attackForward.Run(model, new ArmImages(data.Clean.Images(cleanItems, device), cleanItems.Length), withLoss);
        }

        var arm = attackForward.Arm;
        var attacks = data.Attacks.Images(attackItems, device);
        var images = cleanItems.Length == 0 ? attacks : cat([data.Clean.Images(cleanItems, device), attacks]);
        var controls = withLoss && arm.NeedsControls ? CaptionedPixels.Images(data.Controls, attackItems, device) : null;
        return attackForward.Run(
            model, withLoss && arm.NeedsSources ? WithSources(new ArmImages(images, cleanItems.Length, controls), attackItems) : new ArmImages(images, cleanItems.Length, controls), withLoss);
    }

    private ArmImages WithSources(ArmImages images, int[] attackItems)
    {
        int[] sources = [.. attackItems.Select(i => data.AttackSources[i])];
        return images with
        {
            Sources = data.Clean.Images([.. sources.Select(source => Math.Max(0, source))], device),
            HasSource = tensor(sources.Select(source => source < 0 ? 0f : 1f).ToArray(), device: device),
        };
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
