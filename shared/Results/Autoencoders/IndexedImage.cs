namespace ClipSae.Results.Autoencoders;

/// <summary>An image that excites a feature.</summary>
/// <param name="Image">Its place among the index's images.</param>
/// <param name="Activation">The largest over its tokens.</param>
public readonly record struct IndexedImage(int Image, double Activation);
