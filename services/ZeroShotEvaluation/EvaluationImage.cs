namespace ClipSae.ZeroShotEvaluation;

/// <summary>An image of an evaluation set.</summary>
/// <param name="Id">Its path in the data set.</param>
/// <param name="Label">What it shows; for a word shown alone, the word.</param>
/// <param name="Word">The word printed on it, where there is one.</param>
public sealed record EvaluationImage(string Id, string Label, string? Word);
