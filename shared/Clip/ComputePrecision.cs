namespace ClipSae.Clip;

/// <summary>Precision the model computes in.</summary>
public enum ComputePrecision
{
    Float32,

    /// <summary>About twice as fast as float32 on processors with native bfloat16, and many times as fast on GPUs.</summary>
    Bfloat16,
}
