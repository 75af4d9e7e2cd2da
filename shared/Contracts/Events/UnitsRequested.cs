namespace ClipSae.Contracts;

/// <summary>Units became ready and were given to the workers of their stage. Requested units without a fact are outstanding.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Units">Names of the units.</param>
[EventType("units-requested/1")]
public sealed record UnitsRequested(string Stage, IReadOnlyList<string> Units) : RunEvent;
