using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>A trained autoencoder.</summary>
/// <param name="Name">Its name, which begins with the hook point that it reads.</param>
/// <param name="Figures">Quality on held-out data.</param>
/// <param name="Statistics">Per-feature statistics, where they were stored.</param>
public sealed record AutoencoderRecord(string Name, JsonNode? Figures, JsonNode? Statistics);
