using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Preprocessing;

/// <summary>What makes pictures of any size a model's input.</summary>
/// <param name="Resolution">Side of the model's square input, pixels.</param>
/// <param name="Fit">How a picture that is not square becomes so.</param>
/// <param name="Filter">The filter of the resize.</param>
/// <param name="Normalization">What becomes of the resized bytes.</param>
public sealed record ImagePreparation(int Resolution, ImageFit Fit, ResizeFilter Filter, PixelNormalization Normalization)
{
    /// <summary>Size and resize without what follows them.</summary>
    public ResizeTarget Target => new(Resolution, Fit, Filter);

    /// <summary>OpenAI's: short side by the bicubic filter, centre crop, its own means and deviations.</summary>
    public static ImagePreparation OpenAi(int resolution) =>
        new(resolution, ImageFit.CentreCrop, ResizeFilter.Bicubic, PixelNormalization.OpenAi);
}
