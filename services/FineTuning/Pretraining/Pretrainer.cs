using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Training;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Pretraining;

/// <summary>Trains a CLIP of OpenAI's architecture from scratch on captioned pictures.</summary>
public static class Pretrainer
{
    /// <summary>What a step shows.</summary>
    /// <param name="Step">Steps done.</param>
    /// <param name="Total">Steps in all.</param>
    /// <param name="Loss">Contrastive loss, mean since the last report.</param>
    public sealed record Progress(int Step, int Total, double Loss);

    /// <summary>A byte-level vocabulary in CLIP's own format, learned from captions.</summary>
    public static BytePairTokenizer LearnVocabulary(CaptionedPixels data, int merges) =>
        ClipTokenizer.FromMerges(BpeLearner.Learn(data.Captions.SelectMany(c => c), merges));

    /// <summary>
    /// Trains; on a processor the same data, options and thread count give the same weights, on a GPU the same up to the order of sums.
    /// </summary>
    /// <param name="data">Pictures at the options' resolution.</param>
    /// <param name="tokenizer">As <see cref="LearnVocabulary"/> gave it.</param>
    /// <exception cref="UserErrorException">Too little data for one batch, or the training diverges.</exception>
    public static ClipModel Train(
        CaptionedPixels data,
        ClipTokenizer tokenizer,
        PretrainingOptions options,
        Device device,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        UserErrorException.ThrowIf(
            data.Count < options.BatchSize,
            $"pretrain: the data set has {data.Count} usable images, fewer than one batch of {options.BatchSize}; "
                + $"add images or lower the batch size"
        );

        var model = ClipModel.Initialize(
            new ClipArchitecture(
                options.EmbedDim,
                options.Resolution,
                options.VisionLayers,
                options.VisionWidth,
                options.PatchSize,
                options.ContextLength,
                tokenizer.VocabularySize,
                options.TextWidth,
                options.TextLayers
            ),
            options.Seed
        );
        model.to(device);
        using var captions = new CaptionTable(data.Captions, tokenizer, options.ContextLength);
        ParameterGroup[] groups = [.. ParameterGrouping.Uniform(model, options.LearningRate, options.WeightDecay)];
        using var training = ParameterGrouping.Begin(model, groups, Precision.Float32, recompute: false);
        using var optimizer = new Optimizer(options.Optimizer, groups, training.Weights);
        var variator = options.Variation is { } variation ? new ImageAugmenter(variation, options.Seed) : null;
        var schedule = new LearningRateSchedule.Cosine(options.WarmUpSteps);
        var order = new BatchOrder(data.Count, options.BatchSize, options.Seed);
        using var lossSum = zeros(1, device: device).DetachFromDisposeScope();
        var reported = 0;
        for (var step = 0; step < options.Steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var items = order.Batch(step);
            var random = new SeededRandom(options.Seed, "caption", step);
            var (tokens, caption) = captions.Batch(items, random.Next);
            var images = data.Images(items, model.Architecture.Family.Normalization, device);
            images = variator?.Vary(images, [.. items.Select(data.IsPrinted)], step) ?? images;
            var kept = variator
                ?.Kept(items.Length, model.Architecture.VisionTokens - model.Architecture.ClassTokens, step, options.Steps)
                ?.to(device);
            var loss = ContrastiveLoss.Symmetric(
                model.EncodeImage(images, patches: kept),
                model.EncodeTrimmedText(model.Trim(tokens).to(device)),
                caption.to(device),
                model.LogitScale
            );
            loss.backward();
            training.CompleteBackward();
            optimizer.Step(
                schedule.FactorAt(step, options.Steps),
                Gradients.ClipFactor(Gradients.Norm(optimizer.Gradients), options.GradientClip)
            );
            training.Refresh();
            lossSum.AddInPlace(loss.detach());
            if ((step + 1) % 25 == 0 || step + 1 == options.Steps)
            {
                var mean = lossSum.item<float>() / (step + 1 - reported);
                if (!float.IsFinite(mean))
                {
                    model.Dispose();
                    throw new UserErrorException(
                        $"pretrain: the loss is no longer a number by step {step + 1}; lower the learning rate or lengthen the warm-up"
                    );
                }

                progress?.Report(new Progress(step + 1, options.Steps, mean));
                reported = step + 1;
                lossSum.zero_();
            }
        }

        return model;
    }
}
