using System.Text.Json.Serialization;

namespace ClipSae.Results.Tuning;

/// <summary>Metrics of a fine-tuning in its event. Members that may be missing were added after the first runs.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Seed">Seed of the training.</param>
/// <param name="Steps">Steps; 0 where the arm trains nothing.</param>
/// <param name="CleanImages">Clean pictures trained on.</param>
/// <param name="AttackImages">Attacks trained on.</param>
/// <param name="CleanValidationImages">Clean pictures kept for validation.</param>
/// <param name="AttackValidationImages">Attacks kept for validation.</param>
/// <param name="ReadingValidationImages">Words without a picture kept for validation.</param>
/// <param name="AblatedHeads">Attention heads taken out.</param>
/// <param name="CutCaptions">Captions that were longer than the model's context.</param>
/// <param name="BeatenByBase">Whether no step scored higher than the base.</param>
/// <param name="BestStep">Step of the best validation.</param>
/// <param name="Drift">How far the weights moved by the last validation.</param>
/// <param name="Alpha">Share of the tuned weights in the result.</param>
/// <param name="Stopped">Why the training ended before its last step.</param>
/// <param name="Validation">The best validation.</param>
public sealed record TuningMetrics(
    string Arm,
    long Seed,
    int Steps,
    int CleanImages,
    int AttackImages,
    int? CleanValidationImages = null,
    int? AttackValidationImages = null,
    int? ReadingValidationImages = null,
    int? AblatedHeads = null,
    int? CutCaptions = null,
    bool? BeatenByBase = null,
    long? BestStep = null,
    WeightDrift? Drift = null,
    double? Alpha = null,
    string? Stopped = null,
    TuningValidation? Validation = null
)
{
    /// <summary>Base and result by family of print; null where curation printed in one style.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<FamilyComparison>? Families { get; init; }
}
