namespace ClipSae.Results;

/// <summary>An image that excites a feature.</summary>
/// <param name="Image">Its place among the index's images.</param>
/// <param name="Activation">The largest over its tokens.</param>
public sealed record IndexedImage(int Image, double Activation);
