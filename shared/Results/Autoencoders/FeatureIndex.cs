namespace ClipSae.Results.Autoencoders;

/// <summary>
/// What features of an autoencoder fire on, over the data set's images: of an image, its largest activation over all tokens counts.
/// </summary>
/// <param name="Stride">Of the data set's images every how many-th was looked at; 1 is all.</param>
/// <param name="Images">Ids of those images; features name them by their place here.</param>
/// <param name="Features">The features that fire on any of them, by number.</param>
public sealed record FeatureIndex(int Stride, IReadOnlyList<string> Images, IReadOnlyList<IndexedFeature> Features)
{
    /// <summary>A feature by its number; null where it fires on none of the images.</summary>
    public IndexedFeature? Feature(int number)
    {
        var (low, high) = (0, Features.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Features[middle].Feature == number)
            {
                return Features[middle];
            }

            (low, high) = Features[middle].Feature < number ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }
}
