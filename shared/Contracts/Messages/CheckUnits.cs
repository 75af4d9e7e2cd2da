namespace ClipSae.Contracts;

/// <summary>Asks a worker of a stage whether units could be carried out, before the run that they belong to begins.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Units">The units, or one of each kind if there are many.</param>
/// <param name="RunInputs">Inputs of the run, without the shards.</param>
public sealed record CheckUnits(string Stage, IReadOnlyList<CheckedUnit> Units, IReadOnlyDictionary<string, ArtifactRef> RunInputs);
