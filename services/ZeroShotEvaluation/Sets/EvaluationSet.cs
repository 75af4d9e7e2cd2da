using ClipSae.Datasets.Sources;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>A set of images to score models on.</summary>
/// <param name="Name">Such as <c>clean</c>, <c>attacked-heldout</c>.</param>
/// <param name="Shards">Paths of its data set shards.</param>
/// <param name="Imported">What could not be used of its source, so that results name it too.</param>
public sealed record EvaluationSet(string Name, IReadOnlyList<string> Shards, IReadOnlyList<ImportProblem>? Imported = null);
