using ClipSae.Contracts;
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
    public double InverseRegularization { get; init; } = 31.6;

    /// <summary>Share of each class that trains the probe; the rest tests it. Default 0.5.</summary>
    public double TrainShare { get; init; } = 0.5;

    /// <summary>Steps at most. Default 1,000, as OpenAI's example.</summary>
    public int MaxIterations { get; init; } = 1000;

    internal ProbeSettings Settings => new(InverseRegularization, TrainShare, MaxIterations);

    /// <exception cref="UserErrorException">A value is impossible; the message names the key.</exception>
    public void Validate()
    {
        Require(InverseRegularization is > 0 and < 1e12, "inverseRegularization", "must be above 0");
        Require(TrainShare is > 0 and < 1, "trainShare", "must be between 0 and 1");
        Require(MaxIterations > 0, "maxIterations", "must be 1 or more");
    }

    private static void Require(bool holds, string key, string rule)
    {
        if (!holds)
        {
            throw new UserErrorException($"evaluation.probe.{key} {rule}");
        }
    }
}
