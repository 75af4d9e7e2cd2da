using System.Text.Json.Serialization;

namespace ClipSae.Results.Autoencoders;

/// <summary>Images between two quantiles of a feature's activation.</summary>
/// <param name="From">Share of the images on which it fires that excite it more than the strongest of these do.</param>
/// <param name="To">The same of the weakest of these, itself included.</param>
/// <param name="Images">Some of them, evenly over the band.</param>
public sealed record ActivationBand(
    double From,
    double To,
    [property: JsonConverter(typeof(IndexedImagesConverter))] IReadOnlyList<IndexedImage> Images
);
