namespace ClipSae.Datasets.Import;

/// <summary>
/// How different the pairs of a data set are: a model cannot learn from pictures that all have one caption, or captions that all have one
/// picture.
/// </summary>
/// <param name="Pairs">Pictures in the data set.</param>
/// <param name="Images">Different ones among them, byte for byte.</param>
/// <param name="Captions">Different captions.</param>
public sealed record DatasetVariety(int Pairs, int Images, int Captions)
{
    /// <summary>Share of pictures that are copies of others at which a data set is worth a word.</summary>
    private const double ManyCopies = 0.5;

    /// <summary>Why nothing can be learned from the pairs; null where something can.</summary>
    public string? Hindrance =>
        Pairs < 2 ? null
        : Captions == 1 ? $"all {Pairs} pictures have the same caption"
        : Images == 1 ? $"all {Pairs} pictures are copies of one file"
        : null;

    /// <summary>What makes learning poor without hindering it; null for nothing.</summary>
    public string? Doubt =>
        Hindrance is null && Pairs - Images > ManyCopies * Pairs ? $"only {Images} of {Pairs} pictures differ, the others are copies"
        : Hindrance is null && Pairs >= 20 && Captions * 20 <= Pairs && Captions <= 2
            ? $"{Pairs} pictures have only {Captions} different captions"
        : null;
}
