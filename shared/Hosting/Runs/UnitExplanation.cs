using ClipSae.Pipeline.Stages;

namespace ClipSae.Hosting.Runs;

/// <summary>Why a unit was computed or taken.</summary>
/// <param name="Finished">The unit's fact: key, cache outcome, outputs, seconds.</param>
/// <param name="Parts">What the key was made of; null where the result is not stored (the report).</param>
public sealed record UnitExplanation(UnitFinished Finished, StageKeyParts? Parts);
