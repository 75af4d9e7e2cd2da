using System.Text.Json.Serialization;

namespace ClipSae.Results.Tuning;

/// <summary>Metrics of a step; null where a part has none, or is NaN.</summary>
/// <param name="Step">From 1.</param>
/// <param name="Loss">The whole loss.</param>
/// <param name="CleanLoss">Of the clean half.</param>
/// <param name="AttackLoss">Of the half with attacks.</param>
/// <param name="Penalty">Of what the arm adds.</param>
/// <param name="GradientNorm">Before it is scaled.</param>
/// <param name="LearningRate">Learning rate as a share of each group's own.</param>
public sealed record StepMetrics(
    long Step,
    double? Loss,
    double? CleanLoss,
    double? AttackLoss,
    double? Penalty,
    double? GradientNorm,
    [property: JsonPropertyName("rate")] double LearningRate
);
