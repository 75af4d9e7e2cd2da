using System.Text.Json.Nodes;

namespace ClipSae.Contracts;

/// <summary>A unit that is to be checked.</summary>
/// <param name="Name">Its name in the plan.</param>
/// <param name="Parameters">The stage's parameters with the unit's overlay, before normalization.</param>
public sealed record CheckedUnit(string Name, JsonObject Parameters);
