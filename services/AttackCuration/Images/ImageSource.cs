using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;

namespace ClipSae.AttackCuration.Images;

/// <summary>A picture of the data set that a word can be printed on.</summary>
/// <param name="Item">Its entry.</param>
/// <param name="Encoded">The image file.</param>
/// <param name="Label">The class it shows; empty where that is not known.</param>
public sealed record ImageSource(DatasetItem Item, ReadOnlyMemory<byte> Encoded, string Label)
{
    /// <summary>The picture to print on, in RGB.</summary>
    /// <exception cref="UserErrorException">It cannot be decoded; the message names it.</exception>
    public RgbImage Decode() => Read().ToRgb();

    /// <summary>The picture to print on, as large as the model sees it at least: <see cref="Printer.Canvas"/>.</summary>
    /// <param name="target">What the model takes.</param>
    /// <exception cref="UserErrorException">It cannot be decoded; the message names it.</exception>
    public RgbImage Canvas(ResizeTarget target) => Printer.Canvas(Decode(), target);

    /// <summary>The picture as its file keeps it.</summary>
    /// <exception cref="UserErrorException">It cannot be decoded; the message names it.</exception>
    public DecodedImage Read() =>
        ImageDecoder.TryRead(Encoded, null, out var picture, out var problem)
            ? picture
            : throw new UserErrorException($"{Item.Id} cannot be read: {problem}. Replace it or remove it from the data set");

    /// <summary>Whether a word is not what the picture shows: neither its label nor named by a caption.</summary>
    public bool IsWrong(string word) => !ShownClass.IsTrue(word, Item);
}
