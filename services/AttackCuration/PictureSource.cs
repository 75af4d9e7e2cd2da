using ClipSae.Datasets;

namespace ClipSae.AttackCuration;

/// <summary>A picture of the data set that a word can be printed on.</summary>
/// <param name="Item">Its entry.</param>
/// <param name="Encoded">The image file.</param>
/// <param name="Label">The class it shows; empty where that is not known.</param>
public sealed record PictureSource(DatasetItem Item, ReadOnlyMemory<byte> Encoded, string Label)
{
    public RgbImage Decode() => ImageDecoder.Decode(Encoded);

    /// <summary>Whether a word is not what the picture shows: neither its label nor named by a caption.</summary>
    public bool IsWrong(string word) => !ShownClass.IsTrue(word, Item);
}
