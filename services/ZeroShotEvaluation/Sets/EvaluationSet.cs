namespace ClipSae.ZeroShotEvaluation;

/// <summary>A set of images to score models on.</summary>
/// <param name="Name">Such as <c>clean</c>, <c>attacked-heldout</c>.</param>
/// <param name="Shards">Paths of its data set shards.</param>
public sealed record EvaluationSet(string Name, IReadOnlyList<string> Shards);
