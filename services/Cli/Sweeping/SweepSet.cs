using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.Cli.Sweeping;

/// <summary>A labelled set of a sweep.</summary>
/// <param name="Name">As the user named it.</param>
/// <param name="Chooses">Whether α is chosen on it; otherwise its metrics are only shown.</param>
/// <param name="Set">The set under the name by which it is scored.</param>
internal sealed record SweepSet(string Name, bool Chooses, EvaluationSet Set);
