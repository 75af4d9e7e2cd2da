using System.ComponentModel.DataAnnotations;
using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Settings;

/// <summary>
/// How linear probes are trained: multinomial logistic regression on image features of length 1, by L-BFGS, all images at once.
/// </summary>
public sealed record ProbeOptions
{
    /// <summary>
    /// C of the objective ½‖W‖² + C · Σ loss (the bias is free). Default 31.6: OpenAI's example takes 0.316 on features as they come, whose
    /// length is about 10; on features of length 1 that is 100 times as much.
    /// </summary>
    [Range(0, 1e12, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double InverseRegularization { get; init; } = 31.6;

    /// <summary>Share of each class that trains the probe; the rest tests it. Default 0.5.</summary>
    [Range(0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double TrainShare { get; init; } = 0.5;

    /// <summary>Steps at most. Default 1,000, as OpenAI's example.</summary>
    [Range(1, double.PositiveInfinity)]
    public int MaxIterations { get; init; } = 1000;

    internal ProbeSettings Settings => new(InverseRegularization, TrainShare, MaxIterations);
}
