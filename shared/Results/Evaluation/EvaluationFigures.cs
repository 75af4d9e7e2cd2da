using System.Text.Json.Serialization;

namespace ClipSae.Results.Evaluation;

/// <summary>The few numbers that tables and <c>--json</c> show.</summary>
/// <param name="Base">Of the base.</param>
/// <param name="Arms">Of each arm, means over its seeds.</param>
/// <param name="Tuned">Of the tuned model; null where none is.</param>
public sealed record EvaluationFigures(
    ModelFigures Base,
    IReadOnlyList<ArmFigures> Arms,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ModelFigures? Tuned = null
)
{
    /// <summary>Takes them from all figures.</summary>
    public static EvaluationFigures Of(EvaluationResults results) =>
        new(
            ModelFigures.Of(results.Models[0]),
            [.. results.Arms.Select(ArmFigures.Of)],
            results.Models.FirstOrDefault(model => model.Name == results.Tuned) is { } tuned ? ModelFigures.Of(tuned) : null
        );
}
