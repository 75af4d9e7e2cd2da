using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ClipSae.Contracts;

/// <summary>A unit has its result.</summary>
/// <param name="Key">The stage key that addresses the result.</param>
/// <param name="Outputs">Artifacts by output name.</param>
/// <param name="Metrics">Small JSON for tables and the report.</param>
/// <param name="Cache">Hit or miss, and why.</param>
/// <param name="Seconds">Wall time of the unit, the look-up of a hit included.</param>
/// <param name="StartedAt">When the worker took the unit up.</param>
/// <param name="Computed">What computed the result, this unit or the earlier one that it was taken from; null in older events, which have
/// no such member.</param>
[EventType("unit-finished/1")]
public sealed record UnitFinished(
    string Stage,
    string Unit,
    string Worker,
    string Key,
    IReadOnlyDictionary<string, ArtifactRef> Outputs,
    [property: JsonPropertyName("figures")] JsonObject Metrics,
    CacheOutcome Cache,
    double Seconds,
    DateTimeOffset StartedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ComputeTraits? Computed = null
) : UnitFact(Stage, Unit, Worker);
