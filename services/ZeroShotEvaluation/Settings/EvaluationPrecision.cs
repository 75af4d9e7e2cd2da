namespace ClipSae.ZeroShotEvaluation.Settings;

/// <summary>Precision of the vision tower; the text tower, which runs once a class, stays in float32.</summary>
public enum EvaluationPrecision
{
    Float32,
    BFloat16,
}
