namespace ClipSae.Imaging.Resizing;

/// <summary>How a picture that is not square becomes a model's square input.</summary>
public enum ImageFit
{
    /// <summary>The short side is resized to the model's resolution, and the middle is kept.</summary>
    CentreCrop,

    /// <summary>Both sides are resized to the model's resolution.</summary>
    Squash,
}
