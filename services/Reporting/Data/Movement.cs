using ClipSae.Results.Tuning;

namespace ClipSae.Reporting.Data;

/// <summary>How far fine-tuning moved the weights: where it moved nothing, every other metric is the base's.</summary>
public static class Movement
{
    // A share of the weights' length. Arms that learned something moved them by 1e-2 and more.
    private const double HardlyMoved = 1e-3;

    private const int MaxNamed = 8;

    /// <summary>Whether a unit's weights are next to those of the base.</summary>
    /// <param name="metrics">Of the unit; where they have no drift it is not known, and false.</param>
    public static bool IsUnmoved(TuningMetrics metrics) => metrics.Drift is { Theta: < HardlyMoved, Radius: < HardlyMoved };

    /// <summary>One sentence about units that did not move; null where all did.</summary>
    /// <param name="units">Their names.</param>
    public static string? Of(IReadOnlyList<string> units)
    {
        if (units.Count == 0)
        {
            return null;
        }

        var more = units.Count > MaxNamed ? FormattableString.Invariant($" and {units.Count - MaxNamed} more") : "";
        return $"Fine-tuning changed the weights of {string.Join(", ", units.Take(MaxNamed))}{more} by less than a thousandth: "
            + "the learning rates are too low for this model, or there are too few steps. "
            + "Raise tuning.learningRates or tuning.steps, or choose another --preset.";
    }
}
