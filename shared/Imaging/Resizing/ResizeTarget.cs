namespace ClipSae.Imaging.Resizing;

/// <summary>The square that a picture of any size becomes, and how.</summary>
/// <param name="Resolution">Its side, pixels.</param>
/// <param name="Fit">How a picture that is not square becomes so.</param>
/// <param name="Filter">The filter of the resize.</param>
public readonly record struct ResizeTarget(int Resolution, ImageFit Fit, ResizeFilter Filter);
