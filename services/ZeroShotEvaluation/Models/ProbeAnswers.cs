namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>What a linear probe answers.</summary>
/// <param name="Train">Images it was trained on.</param>
/// <param name="Right">1 where it is right, for each tested image.</param>
/// <param name="Iterations">Steps of L-BFGS.</param>
/// <param name="Converged">Whether the gradient fell below the tolerance.</param>
internal sealed record ProbeAnswers(int Train, float[] Right, int Iterations, bool Converged);
