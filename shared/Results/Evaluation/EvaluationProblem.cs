namespace ClipSae.Results.Evaluation;

/// <summary>An image that could not be scored, and why.</summary>
public sealed record EvaluationProblem(string Id, string Reason);
