namespace ClipSae.ZeroShotEvaluation;

/// <summary>Precision the models are run in.</summary>
public enum EvaluationPrecision
{
    Float32,
    BFloat16,
}
