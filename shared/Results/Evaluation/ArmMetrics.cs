using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace ClipSae.Results.Evaluation;

/// <summary>An arm's accuracies, means over its seeds.</summary>
public sealed record ArmMetrics : ModelMetrics
{
    [JsonConstructor]
    public ArmMetrics() { }

    [SetsRequiredMembers]
    private ArmMetrics(ArmScores arm)
        : base(arm.Name, ByName(arm.Sets)) => (Control, Seeds, Validation) = (arm.Control, arm.Seeds.Count, arm.Validation);

    /// <summary>Whether it is a random control.</summary>
    public required bool Control { get; init; }

    /// <summary>Seeds that it was trained with.</summary>
    public required int Seeds { get; init; }

    /// <summary>Mean of the best validation scores.</summary>
    public required double? Validation { get; init; }

    /// <summary>Takes them from an arm's metrics.</summary>
    public static ArmMetrics Of(ArmScores arm) => new(arm);
}
