namespace ClipSae.Tensors;

/// <summary>Precision of numbers that are computed with or kept; an option says which of them it takes.</summary>
public enum Precision
{
    Float32,

    /// <summary>Half the memory of float32, with its own narrow range.</summary>
    Float16,

    /// <summary>
    /// Half the memory, with float32's range: about twice as fast on processors with native bfloat16, and many times as fast on GPUs.
    /// </summary>
    Bfloat16,

    /// <summary>A byte each, quantised block by block.</summary>
    Int8,
}
