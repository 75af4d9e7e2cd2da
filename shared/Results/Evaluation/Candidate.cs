namespace ClipSae.Results.Evaluation;

/// <summary>A text and the probability that a model gives it.</summary>
public sealed record Candidate(string Text, double Probability);
