using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Validation;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Training;

/// <summary>
/// One optimizer step's gradients. All its forwards but the last are first run without gradients, the loss and its gradient with respect to
/// every feature are taken over the whole step at once and go back through the last; then each other forward is run again and its features'
/// gradients are sent back (GradCache, arXiv 2101.06983): the gradients are those of one big batch, whatever the accumulation.
/// </summary>
/// <param name="captions">Captions of the clean images, then of the attacks.</param>
public sealed class TuningStep(
    ClipModel model,
    TuningData data,
    CaptionTable captions,
    AttackForward attackForward,
    FineTuningOptions options,
    Device device
)
{
    private readonly BatchOrder _clean = new(data.Clean.Count, options.CleanBatch * options.Accumulation, options.Seed, "clean order");
    private readonly BatchOrder _attacks = new(
        data.Attacks.Count,
        options.AttackBatch * options.Accumulation,
        options.Seed,
        "attack order"
    );

    /// <summary>Adds the step's gradients to the parameters.</summary>
    /// <param name="withAttacks">False in the steps after the attack share is used up.</param>
    public StepLosses Backward(long step, bool withAttacks)
    {
        var random = new SeededRandom(options.Seed, "tuning captions", step);
        var cleanItems = _clean.Batch(step);
        var attackItems = withAttacks ? _attacks.Batch(step) : [];
        if (!attackForward.Arm.UsesCaptions)
        {
            return BackwardUncaptioned(cleanItems, attackItems);
        }

        // Attacks follow the clean images in the table, so that equal captions of both halves are one text.
        var captionedItems =
            withAttacks && attackForward.Arm.CaptionsAttacks
                ? [.. cleanItems, .. attackItems.Select(i => data.Clean.Count + i)]
                : cleanItems;
        var (tokens, caption) = captions.Batch(captionedItems, random.Next);
        return BackwardCaptioned(Passes(cleanItems, attackItems), tokens, caption.to(device), cleanItems.Length);
    }

    private PixelNormalization Normalization => model.Architecture.Family.Normalization;

    private StepLosses BackwardCaptioned((int[] Clean, int[] Attacks)[] passes, Tensor tokens, Tensor caption, int cleanCount)
    {
        var chunks = tokens.split(Math.Max(1, (tokens.shape[0] + passes.Length - 1) / passes.Length));
        // The arm's own loss has no part in the contrastive one: what it needs waits for the second time.
        var cachedImages = Cached(passes[..^1], pass => Captioned(pass, Encode(pass, withLoss: false).Embeddings));
        var cachedTexts = Cached(chunks[..^1], EncodeText);
        var (last, penalty) = Encode(passes[^1], withLoss: true);
        penalty = Share(penalty);
        var images = InOrder(passes, [.. cachedImages, Captioned(passes[^1], last)]);
        var texts = Joined([.. cachedTexts, EncodeText(chunks[^1])]);
        var loss = ContrastiveLoss.Of(options.Loss, images, texts, caption, model, options.LabelSmoothing);
        SendBack(penalty is null ? loss : loss.Plus(penalty));
        var penalties = new List<Tensor>();
        if (penalty is not null)
        {
            penalties.Add(penalty.detach());
        }

        foreach (var (pass, cached) in passes.Zip(cachedImages))
        {
            using var scope = NewDisposeScope();
            var (embeddings, own) = Encode(pass, withLoss: true);
            // The surrogate's gradient with respect to the features is the cached one.
            var surrogate = (Captioned(pass, embeddings) * cached.grad!).sum();
            if (Share(own) is { } share)
            {
                surrogate = surrogate.Plus(share);
                penalties.Add(share.detach().MoveToOuterDisposeScope());
            }

            SendBack(surrogate);
        }

        foreach (var (chunk, cached) in chunks.Zip(cachedTexts))
        {
            using var scope = NewDisposeScope();
            SendBack((EncodeText(chunk) * cached.grad!).sum());
        }

        return Describe(
            loss,
            images,
            texts,
            caption,
            cleanCount,
            penalties.Count > 1 ? stack([.. penalties]).sum() : penalties.FirstOrDefault()
        );
    }

    /// <summary>Features without their graph, leaves that collect gradients.</summary>
    private static Tensor[] Cached<T>(IEnumerable<T> parts, Func<T, Tensor> encode)
    {
        using var noGrad = no_grad();
        return [.. parts.Select(part => encode(part).detach().requires_grad_())];
    }

    /// <summary>The embeddings that have captions.</summary>
    private Tensor Captioned((int[] Clean, int[] Attacks) pass, Tensor embeddings) =>
        attackForward.Arm.CaptionsAttacks || pass.Attacks.Length == 0 ? embeddings : embeddings.narrow(0, 0, pass.Clean.Length);

    /// <summary>Clean images of all passes, then their attacks, as the captions are.</summary>
    private static Tensor InOrder((int[] Clean, int[] Attacks)[] passes, Tensor[] embeddings) =>
        passes.Length == 1
            ? embeddings[0]
            : cat([
                .. passes.Zip(embeddings, (pass, rows) => rows.narrow(0, 0, pass.Clean.Length)),
                .. passes.Zip(embeddings, (pass, rows) => rows.narrow(0, pass.Clean.Length, rows.shape[0] - pass.Clean.Length)),
            ]);

    private static Tensor Joined(Tensor[] parts) => parts.Length == 1 ? parts[0] : cat(parts);

    // Trimmed before they go to the device, so that nothing has to wait for it.
    private Tensor EncodeText(Tensor tokens)
    {
        var trimmed = model.Trim(tokens);
        return device.type == TorchSharp.DeviceType.CPU
            ? model.EncodeTrimmedText(trimmed)
            : model.EncodeTrimmedText(ClipModel.Pad(trimmed, model.Architecture.ContextLength).to(device)).narrow(0, 0, tokens.shape[0]);
    }

    // No image is another's negative: every forward goes back by itself, and each part of the batch once.
    private StepLosses BackwardUncaptioned(int[] cleanItems, int[] attackItems)
    {
        var losses = new List<Tensor>();
        foreach (var pass in Passes(cleanItems, attackItems))
        {
            using var scope = NewDisposeScope();
            if (Share(Encode(pass, withLoss: true).Penalty) is { } loss)
            {
                SendBack(loss);
                losses.Add(loss.detach().MoveToOuterDisposeScope());
            }
        }

        var sum = stack([.. losses]).sum();
        return new StepLosses(sum, null, null, sum);
    }

    /// <summary>
    /// A step in as many forwards as it accumulates. In each clean images and attacks share a pass: half as many operations to start.
    /// </summary>
    private (int[] Clean, int[] Attacks)[] Passes(int[] cleanItems, int[] attackItems)
    {
        var attacks = attackItems.Chunk(options.AttackBatch).ToArray();
        return [.. cleanItems.Chunk(options.CleanBatch).Select((clean, i) => (clean, attacks.Length == 0 ? [] : attacks[i]))];
    }

    // Means over equal parts of a batch average to the batch's mean.
    private Tensor? Share(Tensor? loss) => loss?.Over(options.Accumulation);

    // What follows from parts alone that are all frozen leads nowhere back.
    private void SendBack(Tensor loss)
    {
        if (loss.requires_grad)
        {
            loss.backward();
            model.Training?.CompleteBackward();
        }
    }

    private (Tensor Embeddings, Tensor? Penalty) Encode((int[] Clean, int[] Attacks) pass, bool withLoss)
    {
        var (cleanItems, attackItems) = pass;
        if (attackItems.Length == 0)
        {
            return attackForward.Run(
                model,
                new ArmImages(data.Clean.Images(cleanItems, Normalization, device), cleanItems.Length),
                withLoss
            );
        }

        var arm = attackForward.Arm;
        var attacks = data.Attacks.Images(attackItems, Normalization, device);
        var images = cat([data.Clean.Images(cleanItems, Normalization, device), attacks]);
        var controls = withLoss && arm.NeedsControls ? CaptionedPixels.Images(data.Controls, attackItems, Normalization, device) : null;
        var shown = new ArmImages(images, cleanItems.Length, controls);
        return attackForward.Run(
            model,
            withLoss && (arm.NeedsSources || arm.NeedsPrint) ? WithSources(shown, attackItems, arm) : shown,
            withLoss
        );
    }

    private ArmImages WithSources(ArmImages images, int[] attackItems, TuningArm arm)
    {
        int[] sources = [.. attackItems.Select(i => Math.Max(0, data.AttackSources[i]))];
        return images with
        {
            Sources = arm.NeedsSources ? data.Clean.Images(sources, Normalization, device) : null,
            HasSource = AlignedTensor.Of([.. attackItems.Select(i => data.AttackSources[i] < 0 ? 0f : 1f)], attackItems.Length).to(device),
            Print = arm.NeedsPrint
                ? Normalization.Apply(
                    PrintAlone
                        .Of(
                            CaptionedPixels.Rows(data.Attacks.Pixels, attackItems),
                            CaptionedPixels.Rows(data.Clean.Pixels, sources),
                            Normalization
                        )
                        .to(device)
                )
                : null,
        };
    }

    private StepLosses Describe(Tensor loss, Tensor images, Tensor texts, Tensor caption, int cleanCount, Tensor? penalty)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var perImage = ContrastiveLoss.PerImage(images, texts, caption, model);
        var clean = perImage.narrow(0, 0, cleanCount).mean();
        var attacked = perImage.shape[0] > cleanCount ? perImage.narrow(0, cleanCount, perImage.shape[0] - cleanCount).mean() : null;
        return new StepLosses(
            loss.detach().MoveToOuterDisposeScope(),
            clean.MoveToOuterDisposeScope(),
            attacked?.MoveToOuterDisposeScope(),
            penalty?.detach().MoveToOuterDisposeScope()
        );
    }
}
