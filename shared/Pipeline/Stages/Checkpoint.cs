using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Stages;

/// <summary>A saved state to continue from.</summary>
/// <param name="State">The state as it was saved.</param>
/// <param name="Files">Local paths by name, read-only.</param>
public sealed record Checkpoint(JsonObject State, IReadOnlyDictionary<string, string> Files);
