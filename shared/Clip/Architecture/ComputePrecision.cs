namespace ClipSae.Clip.Architecture;

/// <summary>Precision in which a model computes.</summary>
public enum ComputePrecision
{
    Float32,

    /// <summary>
    /// About twice as fast as float32 on processors with native bfloat16, and many times as fast on GPUs; activations take half the memory.
    /// </summary>
    Bfloat16,
}
