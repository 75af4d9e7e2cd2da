namespace ClipSae.Contracts;

/// <summary>
/// A stage continues without units that failed, within what its plan tolerates. From here on their inputs and outputs are missing for all
/// later stages, even if one of them should still finish.
/// </summary>
/// <param name="Stage">The stage.</param>
/// <param name="Units">Names of the units, in the plan's order.</param>
[EventType("units-given-up/1")]
public sealed record UnitsGivenUp(string Stage, IReadOnlyList<string> Units) : RunEvent;
