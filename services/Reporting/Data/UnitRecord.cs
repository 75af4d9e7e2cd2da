using System.Text.Json.Nodes;

namespace ClipSae.Reporting.Data;

/// <summary>A finished unit of the run.</summary>
/// <param name="Stage">Its stage.</param>
/// <param name="Unit">Its name.</param>
/// <param name="Cache">hit, miss or verified.</param>
/// <param name="Reason">Why.</param>
/// <param name="StartedAt">When a worker took it up.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="Key">Its stage key.</param>
/// <param name="Outputs">Its artifacts.</param>
/// <param name="Metrics">Its metrics.</param>
public sealed record UnitRecord(
    string Stage,
    string Unit,
    string Cache,
    string Reason,
    DateTimeOffset StartedAt,
    double Seconds,
    string Key,
    IReadOnlyDictionary<string, ArtifactRef> Outputs,
    JsonObject Metrics
);
