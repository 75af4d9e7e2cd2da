using System.Text.Json.Serialization;

namespace ClipSae.Results.Evaluation;

/// <summary>A model's accuracies on held-out words and fonts, fractions; null where a set was not evaluated.</summary>
public sealed record HeldOutMetrics
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Clean { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Attacked { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? AttackSuccess { get; init; }
}
