namespace ClipSae.EmbeddingExtraction;

/// <summary>Precision the model computes in.</summary>
public enum ComputePrecision
{
    Float32,

    /// <summary>About twice as fast on CPUs with native bfloat16; the cosine to float32 is measured and reported.</summary>
    Bfloat16,
}
