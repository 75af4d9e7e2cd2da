using ClipSae.FineTuning.Settings;

namespace ClipSae.FineTuning.Validation;

/// <summary>What a validation measures of a model, fractions from 0 to 1.</summary>
/// <param name="Clean">Accuracy on clean pictures.</param>
/// <param name="Attacked">Accuracy under attack.</param>
/// <param name="Reading">Accuracy on printed words without a picture behind them; null where reading is not validated.</param>
public sealed record ValidationScores(double Clean, double Attacked, double? Reading = null)
{
    /// <summary>
    /// What decides between steps, mixtures and arms: accuracy under attack less what was lost against the base, at its cost. What is
    /// gained costs nothing.
    /// </summary>
    /// <param name="basis">The base's.</param>
    /// <returns>Rounded as it is kept, so that a training resumed from the kept score decides as an undisturbed one.</returns>
    public double Score(ValidationScores basis, FineTuningOptions options) =>
        Math.Round(
            Attacked
                - (options.CleanLossCost * Math.Max(0, basis.Clean - Clean))
                - (options.ReadingCost * Math.Max(0, (basis.Reading ?? 0) - (Reading ?? 0))),
            6
        );
}
