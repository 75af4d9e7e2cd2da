namespace ClipSae.EmbeddingExtraction;

/// <summary>Precision of stored activations.</summary>
public enum StoragePrecision
{
    Float32,
    Float16,
    Bfloat16,
}
