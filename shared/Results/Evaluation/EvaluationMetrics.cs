using System.Text.Json.Serialization;

namespace ClipSae.Results.Evaluation;

/// <summary>The few numbers that tables and <c>--json</c> show.</summary>
/// <param name="Base">Of the base.</param>
/// <param name="Arms">Of each arm, means over its seeds.</param>
/// <param name="Tuned">Of the tuned model; null where none is.</param>
public sealed record EvaluationMetrics(
    ModelMetrics Base,
    IReadOnlyList<ArmMetrics> Arms,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ModelMetrics? Tuned = null
)
{
    /// <summary>Takes them from all metrics.</summary>
    public static EvaluationMetrics Of(EvaluationResults results) =>
        new(
            ModelMetrics.Of(results.Models[0]),
            [.. results.Arms.Select(ArmMetrics.Of)],
            results.Models.FirstOrDefault(model => model.Name == results.Tuned) is { } tuned ? ModelMetrics.Of(tuned) : null
        );
}
