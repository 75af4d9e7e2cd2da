namespace ClipSae.Results.Evaluation;

/// <summary>A linear probe: what a linear classifier trained on one part of a set finds in the other.</summary>
/// <param name="Train">Images it was trained on.</param>
/// <param name="Test">Images it was tested on.</param>
/// <param name="Iterations">Steps of L-BFGS.</param>
/// <param name="Converged">Whether the gradient fell below the tolerance.</param>
/// <param name="Accuracy">Share of right answers on the tested images.</param>
/// <param name="AgainstBase">Difference to the base's probe; null for the base itself.</param>
public sealed record ProbeScores(int Train, int Test, int Iterations, bool Converged, Interval Accuracy, Comparison? AgainstBase);
