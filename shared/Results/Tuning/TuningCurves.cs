using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace ClipSae.Results.Tuning;

/// <summary>What fine-tuning's curves are drawn from: a training, its arm and what came of it by family of print.</summary>
public sealed record TuningCurves : TrainingHistory
{
    [JsonConstructor]
    public TuningCurves(
        IReadOnlyList<StepMetrics> steps,
        IReadOnlyList<TuningValidation> validation,
        IReadOnlyList<WeightDrift> drift,
        IReadOnlyList<ModelHealth> health,
        IReadOnlyList<TuningValidation> interpolation,
        double alpha,
        string? stopped,
        TuningValidation? best
    )
        : base(steps, validation, drift, health, interpolation, alpha, stopped, best) { }

    /// <summary>Takes over a training.</summary>
    [SetsRequiredMembers]
    public TuningCurves(TrainingHistory history, string arm, long seed)
        : base(history) => (Arm, Seed) = (arm, seed);

    public required string Arm { get; init; }

    /// <summary>Seed of the training.</summary>
    public required long Seed { get; init; }

    /// <summary>Base and result by family of print; null where curation printed in one style.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<FamilyComparison>? Families { get; init; }

    /// <summary>Attention heads that were taken out; null where the arm takes out none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<HeadScore>? Heads { get; init; }
}
