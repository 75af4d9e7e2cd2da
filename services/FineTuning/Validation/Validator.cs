using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Settings;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Validation;

/// <summary>Measures models on what fine-tuning keeps for validation.</summary>
public sealed class Validator(TuningData data, ClipTokenizer tokenizer, FineTuningOptions options, Device device)
{
    /// <summary>A validation.</summary>
    /// <param name="withReading">Whether reading is measured too, if there is print to read.</param>
    public ValidationScores Scores(ClipModel model, bool withReading, CancellationToken cancel) =>
        Measure(model, withReading, cancel).Scores;

    /// <summary>A validation, and whether embeddings of clean pictures still differ.</summary>
    /// <param name="withReading">Whether reading is measured too, if there is print to read.</param>
    public (ValidationScores Scores, EmbeddingHealth Embeddings) Measure(ClipModel model, bool withReading, CancellationToken cancel)
    {
        var (clean, embeddings) = data.CleanValidation.Measure(model, tokenizer, options.PromptTemplates, device, cancel);
        var attacked = data.AttackValidation.Accuracy(model, tokenizer, options.PromptTemplates, device, cancel);
        return (new ValidationScores(clean, attacked, withReading ? Reading(model, cancel) : null), embeddings);
    }

    /// <summary>
    /// Tries mixtures of base and best weights, the last step of a fine-tuning (WiSE-FT, arXiv 2109.01903): weights between the two may
    /// keep more of the one and nearly all of the other. One that scores higher takes the best weights' place in their file. Then measures
    /// how much of reading the result keeps.
    /// </summary>
    /// <param name="curves">With the best validation so far.</param>
    /// <param name="bestFile">The best weights.</param>
    /// <param name="baseFile">The base's; null mixes nothing.</param>
    /// <param name="provenance">What the weights carry in their header.</param>
    public void Finish(
        CurveRecorder curves,
        string bestFile,
        string? baseFile,
        IReadOnlyDictionary<string, string>? provenance,
        CancellationToken cancel
    )
    {
        if (baseFile is not null && options.Alphas.Count > 0)
        {
            ChooseAlpha(curves, bestFile, baseFile, provenance, cancel);
        }

        if (curves.Best!.Reading is null && data.ReadingValidation is not null)
        {
            using var best = ClipModel.Load(bestFile, device);
            curves.AddReading(Reading(best, cancel)!.Value);
        }
    }

    private void ChooseAlpha(
        CurveRecorder curves,
        string bestFile,
        string baseFile,
        IReadOnlyDictionary<string, string>? provenance,
        CancellationToken cancel
    )
    {
        var chosen = bestFile + ".mixed";
        using (var blend = new WeightBlend(baseFile, bestFile, device))
        {
            foreach (var alpha in options.Alphas.OrderDescending())
            {
                using var scope = NewDisposeScope();
                using var mixture = blend.At(alpha);
                if (curves.AddInterpolation(alpha, Scores(mixture, options.ReadingCost > 0, cancel), options))
                {
                    mixture.ToGeometric();
                    mixture.Save(
                        chosen,
                        new Dictionary<string, string>(provenance ?? new Dictionary<string, string>())
                        {
                            ["clipsae_alpha"] = FormattableString.Invariant($"{alpha}"),
                        }
                    );
                }
            }
        }

        if (File.Exists(chosen))
        {
            File.Move(chosen, bestFile, overwrite: true);
        }
    }

    private double? Reading(ClipModel model, CancellationToken cancel) =>
        data.ReadingValidation?.Accuracy(model, tokenizer, options.PromptTemplates, device, cancel);
}
