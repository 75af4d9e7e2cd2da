namespace ClipSae.FineTuning;

/// <summary>Precision of the forward and backward pass. Parameters, their moments and the loss are float32 in either.</summary>
public enum TuningPrecision
{
    Float32,

    /// <summary>Several times as fast on GPUs, and on processors that multiply it natively; activations take half the memory.</summary>
    Bfloat16,
}
