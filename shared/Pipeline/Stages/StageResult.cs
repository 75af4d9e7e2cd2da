using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Stages;

/// <summary>What a unit gives.</summary>
/// <param name="Outputs">Artifacts by output name; the names are what selectors of later stages see.</param>
/// <param name="Metrics">Small JSON for tables and the report. It is a result like the outputs: no timings, nothing that differs between
/// equal runs.</param>
public sealed record StageResult(IReadOnlyDictionary<string, ArtifactRef> Outputs, JsonObject Metrics);
