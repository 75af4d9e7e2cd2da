using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ClipSae.Pipeline.Stages;

/// <summary>A finished unit's result as it is stored under its key.</summary>
/// <param name="Parts">What the key was made of.</param>
/// <param name="Unit">The unit that computed it; another unit with equal parts takes it as well.</param>
/// <param name="Run">The run that computed it.</param>
/// <param name="Outputs">Artifacts by output name.</param>
/// <param name="Metrics">Small JSON for tables and the report.</param>
/// <param name="Seconds">What computing it took.</param>
/// <param name="FinishedAt">When it was computed.</param>
/// <param name="Computed">What computed it; null for results that are older than this.</param>
public sealed record StoredResult(
    StageKeyParts Parts,
    string Unit,
    string Run,
    IReadOnlyDictionary<string, ArtifactRef> Outputs,
    [property: JsonPropertyName("figures")] JsonObject Metrics,
    double Seconds,
    DateTimeOffset FinishedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ComputeTraits? Computed = null
);
