namespace ClipSae.FineTuning.Optimization;

/// <summary>How the moments of an optimizer are kept between steps.</summary>
public enum MomentPrecision
{
    /// <summary>Eight bytes a parameter.</summary>
    Float32,

    /// <summary>
    /// A byte each, block by block (<see cref="EightBitMoment"/>), but for embeddings and small parameters: about two bytes a parameter, and
    /// updates by libtorch's operations in place of the kernels.
    /// </summary>
    Int8,
}
