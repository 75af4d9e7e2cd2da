namespace ClipSae.Results.Autoencoders;

/// <summary>A feature over the images of an index.</summary>
/// <param name="Feature">Its index.</param>
/// <param name="Fires">Images on which it fires.</param>
/// <param name="Bands">Samples of those images, by how strongly it fires on them, strongest first.</param>
/// <param name="Classes">Labels that are more frequent among the quarter of them on which it fires most than among all images, most
/// frequent first.</param>
/// <param name="Words">The same of the words that are recorded as printed on images.</param>
public sealed record IndexedFeature(
    int Feature,
    int Fires,
    IReadOnlyList<ActivationBand> Bands,
    IReadOnlyList<FrequentText> Classes,
    IReadOnlyList<FrequentText> Words
);
