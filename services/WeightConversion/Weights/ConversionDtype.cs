namespace ClipSae.WeightConversion.Weights;

/// <summary>Precision of the written weights.</summary>
public enum ConversionDtype
{
    /// <summary>Everything in 32 bits.</summary>
    Float32,

    /// <summary>
    /// As OpenAI's <c>convert_weights</c>: convolution, linear layers, attention and projections in 16 bits; LayerNorm and embeddings in
    /// 32.
    /// </summary>
    Float16,

    /// <summary>The same division with bfloat16 for float16.</summary>
    BFloat16,
}
