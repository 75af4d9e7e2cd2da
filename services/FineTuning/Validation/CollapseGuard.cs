using System.Globalization;
using ClipSae.FineTuning.Data;

namespace ClipSae.FineTuning.Validation;

/// <summary>
/// Distinguishes a fine-tuning that has collapsed from one that only costs something, by a validation compared with the base's: embeddings
/// that all point one way, clean accuracy half-way to chance, or a factor on cosines that ran away. The bounds are far from what a sound
/// training shows, and embeddings that gather by class while clean accuracy holds are no collapse.
/// </summary>
/// <param name="Clean">The base's accuracy on clean validation pictures.</param>
/// <param name="Embeddings">Of these pictures.</param>
/// <param name="LogitScale">Its factor on cosines.</param>
/// <param name="Chance">Accuracy of guessing.</param>
public sealed record CollapseGuard(double Clean, EmbeddingHealth Embeddings, double LogitScale, double Chance)
{
    /// <summary>
    /// Share of the base's spread (1 − mean cosine), and of its rank, below which embeddings have collapsed. 272 photographs, 24 steps of
    /// AdamW: at rates of 3e-4 and 1e-3, which cost accuracy and nothing else, no less than .47 of the spread and .61 of the rank were
    /// left; at 1e-2 and 5e-2, which collapse, .05 and .005 of the spread.
    /// </summary>
    private const double MinSpread = 0.15;

    /// <summary>Clean accuracy lost, at least, where embeddings count as collapsed.</summary>
    private const double MinLoss = 0.05;

    /// <summary>Factor up or down by which the logit scale may move.</summary>
    private const double MaxScaling = 4;

    /// <summary>What has collapsed, as an end of a sentence; null where nothing has.</summary>
    /// <param name="clean">Accuracy on the clean validation pictures now.</param>
    /// <param name="embeddings">Of these pictures now.</param>
    /// <param name="logitScale">The factor on cosines now.</param>
    public string? Problem(double clean, EmbeddingHealth embeddings, double logitScale)
    {
        // A base that hardly beats chance has nothing to lose, and a few pictures more or less say nothing.
        if (Clean >= 2 * Chance && clean <= Clean - MinLoss && Loss(clean, embeddings) is { } problem)
        {
            return problem;
        }

        return logitScale > MaxScaling * LogitScale || logitScale < LogitScale / MaxScaling
            ? string.Create(CultureInfo.InvariantCulture, $"the factor on cosines is {logitScale:0.0} (the base's {LogitScale:0.0})")
            : null;
    }

    private string? Loss(double clean, EmbeddingHealth embeddings) =>
        1 - embeddings.MeanCosine < MinSpread * (1 - Embeddings.MeanCosine)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"embeddings of different pictures point one way (mean cosine {embeddings.MeanCosine:0.000}, "
                    + $"the base's {Embeddings.MeanCosine:0.000})"
            )
        : embeddings.Rank < MinSpread * Embeddings.Rank
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"embeddings lie in {embeddings.Rank:0.0} directions (the base's in {Embeddings.Rank:0.0})"
            )
        : clean < (Clean + Chance) / 2
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"clean validation accuracy fell to {100 * clean:0.0} % (the base's {100 * Clean:0.0} %, chance {100 * Chance:0.0} %)"
            )
        : null;
}
