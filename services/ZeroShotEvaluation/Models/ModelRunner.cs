using System.Diagnostics;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Generators;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;
using ClipSae.ZeroShotEvaluation.Statistics;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>
/// Loads one model and asks it everything, on the calling thread: libtorch's modes and dispose scopes belong to a thread.
/// </summary>
internal sealed class ModelRunner(
    EvaluationOptions options,
    ClipTokenizer tokenizer,
    EvaluationSets asked,
    ImagePreparation preparation,
    PromptStates? prompts
)
{
    private const int MaxCosines = 1 << 24;

    /// <summary>Asks a model.</summary>
    /// <param name="isShown">Whether its features are kept.</param>
    /// <param name="texts">Text embeddings by request; those that are null are computed and put here.</param>
    /// <param name="seconds">What computing them took.</param>
    /// <param name="embedded">Called with the images of each batch.</param>
    /// <exception cref="UserErrorException">The model does not fit the others, or gives no finite numbers; or too few images of a set can
    /// be read.</exception>
    public ModelRun Run(
        ModelUnderTest model,
        bool isShown,
        TextTable?[] texts,
        double[] seconds,
        Action<int> embedded,
        CancellationToken cancel
    )
    {
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var device = Compute.Device(options.Device);
        using var clip = model.Load(device);
        CheckFits(model, clip);
        EmbedTexts(clip, device, texts, seconds, cancel);
        using var vision = VisionPlan.Compile(clip, options.Compute.Type());
        var run = new ModelRun(model, [], [], [], [], []);
        try
        {
            using var scale = clip.LogitScale.detach().exp().to(torch.float32).cpu();
            AskObjects(run, vision, texts[0]!, scale, isShown, device, embedded, cancel);
            AskCaptions(run, vision, texts, device, embedded, cancel);
            if (prompts?.Context == clip.Architecture.ContextLength && clip.Architecture.Family == ClipFamily.OpenAi)
            {
                run.Text = (clip.Architecture, prompts.Of(clip, cancel).Detached());
            }

            return run;
        }
        catch
        {
            run.Release();
            throw;
        }
    }

    private void EmbedTexts(ClipModel clip, torch.Device device, TextTable?[] texts, double[] seconds, CancellationToken cancel)
    {
        var requests = asked.Requests(options.PromptTemplates);
        for (var i = 0; i < texts.Length; i++)
        {
            var start = Stopwatch.GetTimestamp();
            texts[i] ??= TextEmbedder.Embed(clip, tokenizer, requests[i], device, cancel);
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private void AskObjects(
        ModelRun run,
        VisionPlan vision,
        TextTable table,
        torch.Tensor scale,
        bool isShown,
        torch.Device device,
        Action<int> embedded,
        CancellationToken cancel
    )
    {
        var all = table.ToTensor();
        var column = asked
            .Texts.Select((text, index) => (text, index))
            .ToDictionary(entry => entry.text, entry => (long)entry.index, StringComparer.Ordinal);
        foreach (var set in asked.Questions.Select(question => question.Name).ToArray())
        {
            using var scope = torch.NewDisposeScope();
            var images = Embed(run.Model, set, vision, device, embedded, cancel);
            var question = asked.Questions.Single(candidate => candidate.Name == set);
            var texts = Rows(all, question.Texts.Select(text => column[text]));
            run.Answers[set] = Answers(question, images, texts, scale.item<float>());
            run.Gaps[set] = ModalityGap.Of(
                images - Rows(texts, question.Right.Select(right => (long)right)),
                options.Resamples,
                options.Seed
            );
            if (
                options.Probe is not null
                && question.Set.Protocol is not EvaluationProtocol.Words
                && LinearProbe.Ask(images, question.Right, options.Probe, options.Seed, cancel) is { } probe
            )
            {
                run.Probes[set] = probe;
            }

            if (isShown)
            {
                run.Features[set] = new ShownFeatures(
                    images.DetachFromDisposeScope(),
                    texts.narrow(0, 0, question.Candidates.Count).clone().DetachFromDisposeScope(),
                    scale.clone().DetachFromDisposeScope()
                );
            }
        }
    }

    private void AskCaptions(
        ModelRun run,
        VisionPlan vision,
        TextTable?[] texts,
        torch.Device device,
        Action<int> embedded,
        CancellationToken cancel
    )
    {
        for (var i = 0; i < asked.Retrievals.Count; i++)
        {
            using var scope = torch.NewDisposeScope();
            var images = Embed(run.Model, asked.Retrievals[i].Name, vision, device, embedded, cancel);
            var question = asked.Retrievals[i];
            var captions = texts[i + 1]!.ToTensor();
            var gap = ModalityGap.Of(images - OwnCaptions(question, texts[i + 1]!), options.Resamples, options.Seed);
            run.Retrieval[question.Name] = RetrievalAnswers.Of(question, images, captions, gap, texts[i + 1]!.Cut);
        }
    }

    private torch.Tensor Embed(
        ModelUnderTest model,
        string set,
        VisionPlan vision,
        torch.Device device,
        Action<int> embedded,
        CancellationToken cancel
    )
    {
        var images = ImageEmbedder.Embed(vision, asked.Pixels(set).Batches(cancel), device, embedded, cancel);
        asked.Settle(set);

        // The largest of no numbers is the first candidate: a broken model would get a plausible score.
        return images.isfinite().all().item<bool>()
            ? images
            : throw new UserErrorException(
                $"{model.Name} gives features that are not finite numbers on set {set}: "
                    + "its weights are damaged, or training diverged; use another checkpoint"
            );
    }

    private static SetAnswers Answers(SetQuestion question, torch.Tensor images, torch.Tensor texts, float scale)
    {
        var answers = SetAnswers.To(question, scale);
        var batch = Math.Max(1, MaxCosines / question.Texts.Count);
        for (var first = 0; first < question.Right.Length; first += batch)
        {
            using var scope = torch.NewDisposeScope();
            var rows = images.narrow(0, first, Math.Min(batch, question.Right.Length - first));
            answers.Read(first, rows.matmul(texts.t()).data<float>().ToArray());
        }

        return answers;
    }

    // Mean of each image's captions.
    private static torch.Tensor OwnCaptions(RetrievalQuestion question, TextTable captions)
    {
        var width = captions.Width;
        var means = new float[question.CaptionsOf.Length * width];
        for (var image = 0; image < question.CaptionsOf.Length; image++)
        {
            var own = question.CaptionsOf[image];
            for (var c = 0; c < width; c++)
            {
                means[image * width + c] = own.Sum(caption => captions.Values[caption * width + c]) / own.Length;
            }
        }

        return AlignedTensor.Of(means, question.CaptionsOf.Length, width);
    }

    private static torch.Tensor Rows(torch.Tensor all, IEnumerable<long> rows) => all.index_select(0, torch.tensor([.. rows]));

    private void CheckFits(ModelUnderTest model, ClipModel clip)
    {
        UserErrorException.ThrowIf(
            clip.Architecture.ImageResolution != preparation.Resolution,
            $"{model.Name} takes images of {clip.Architecture.ImageResolution} pixels, the base of {preparation.Resolution}: "
                + $"compare models of one resolution"
        );
        UserErrorException.ThrowIf(
            clip.Architecture.Preparation != preparation,
            $"{model.Name} takes images that are prepared in another way than the base's ({clip.Architecture.Family}, "
                + $"{clip.Architecture.Filter.ToString().ToLowerInvariant()}): evaluate each with models of its own kind"
        );
        UserErrorException.ThrowIf(
            clip.Architecture.VocabularySize != tokenizer.VocabularySize,
            $"{model.Name} knows {clip.Architecture.VocabularySize} tokens, the tokenizer {tokenizer.VocabularySize}: "
                + $"give the tokenizer that belongs to the model"
        );
    }
}
