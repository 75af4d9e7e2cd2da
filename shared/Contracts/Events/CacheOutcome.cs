namespace ClipSae.Contracts;

/// <summary>Where a unit's result came from, and why.</summary>
/// <param name="Kind">Hit, miss or verified.</param>
/// <param name="Reason">For people: which parameter or input changed, or which run had computed the result.</param>
public sealed record CacheOutcome(CacheKind Kind, string Reason);
