namespace ClipSae.Results;

/// <summary>What features of an autoencoder fire on, over the data set's images: of an image, its largest activation over all tokens counts.</summary>
/// <param name="Stride">Of the data set's images every how many-th was looked at; 1 is all.</param>
/// <param name="Images">Ids of those images; features name them by their place here.</param>
/// <param name="Features">The features that fire on any of them.</param>
public sealed record FeatureIndex(int Stride, IReadOnlyList<string> Images, IReadOnlyList<IndexedFeature> Features);
