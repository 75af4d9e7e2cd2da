namespace ClipSae.Results.Tuning;

/// <summary>What happened in a training. Deterministic: no times in it.</summary>
/// <param name="Steps">Metrics of each step.</param>
/// <param name="Validation">Validations; that of step 0 is the base's.</param>
/// <param name="Drift">How far the weights moved, by validation.</param>
/// <param name="Health">Whether embeddings still differ, by validation.</param>
/// <param name="Interpolation">Validations of mixtures of base and best weights.</param>
/// <param name="Alpha">Share of the tuned weights in the result, the rest being the base's; 1 where no mixture scored higher.</param>
/// <param name="Stopped">Why the training ended before its last step; null where it did not.</param>
/// <param name="Best">The best validation, or that of the mixture; null before the first.</param>
public record TrainingHistory(
    IReadOnlyList<StepMetrics> Steps,
    IReadOnlyList<TuningValidation> Validation,
    IReadOnlyList<WeightDrift> Drift,
    IReadOnlyList<ModelHealth> Health,
    IReadOnlyList<TuningValidation> Interpolation,
    double Alpha,
    string? Stopped,
    TuningValidation? Best
);
