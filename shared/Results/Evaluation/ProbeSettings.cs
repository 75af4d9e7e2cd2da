namespace ClipSae.Results.Evaluation;

/// <summary>How linear probes were trained.</summary>
/// <param name="InverseRegularization">C of logistic regression.</param>
/// <param name="TrainShare">Share of each class that trained the probe.</param>
/// <param name="MaxIterations">Steps at most.</param>
public sealed record ProbeSettings(double InverseRegularization, double TrainShare, int MaxIterations);
