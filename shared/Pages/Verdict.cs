using System.Globalization;

namespace ClipSae.Pages;

/// <summary>What the scores of base and tuned amount to, in words that say no more than the metrics do.</summary>
public static class Verdict
{
    // Below this the print hardly fools the base, and there is little to gain.
    private const double HardlyFooled = 0.05;

    // Shares of the base's attack success that must be gone to be called so.
    private const double MostGone = 0.8;
    private const double HalfGone = 0.5;

    // Clean accuracy that is given up without being worth a word.
    private const double SmallPrice = 0.02;

    // What one picture in two hundred changes.
    private const double NextToNothing = 0.005;

    /// <summary>One to three sentences; null where no attack was scored.</summary>
    /// <param name="fooledBefore">The base's attack success, a fraction.</param>
    /// <param name="fooledAfter">The tuned model's; null if there is none.</param>
    /// <param name="cleanBefore">The base's clean accuracy, where it was scored.</param>
    /// <param name="cleanAfter">The tuned model's.</param>
    public static string? Of(double? fooledBefore, double? fooledAfter, double? cleanBefore, double? cleanAfter)
    {
        if (fooledBefore is not { } before || fooledAfter is not { } after)
        {
            return null;
        }

        var price = cleanBefore - cleanAfter;
        if (Math.Abs(before - after) < NextToNothing && Math.Abs(price ?? 0) < NextToNothing)
        {
            return before < HardlyFooled
                ? "This print hardly fools the base model, so there was little to gain, and fine-tuning changed next to nothing."
                : "Fine-tuning changed next to nothing.";
        }

        var gone = before > 0 ? (before - after) / before : 0;
        var gain = before switch
        {
            < HardlyFooled =>
                $"This print hardly fools the base model, so there is little to gain here ({Percent(before)} → {Percent(after)}).",
            _ when after > before => $"Fine-tuning made it worse: the attack success rate rose from {Percent(before)} to {Percent(after)}.",
            _ when gone >= MostGone => $"Most attacks fail now: {Percent(before)} → {Percent(after)}.",
            _ when gone >= HalfGone => $"More than half of the attacks that succeeded fail now: {Percent(before)} → {Percent(after)}.",
            _ => $"Most attacks still succeed of those that did: {Percent(before)} → {Percent(after)}. The model is not fixed.",
        };
        return price >= SmallPrice
            ? $"{gain} It costs {Points(price.Value)} points of clean accuracy "
                + $"({Percent(cleanBefore!.Value)} → {Percent(cleanAfter!.Value)})."
            : gain;
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");

    private static string Points(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0}");
}
