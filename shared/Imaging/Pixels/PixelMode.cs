namespace ClipSae.Imaging.Pixels;

/// <summary>
/// How a file keeps its pixels, as far as that decides what resizing gives: Pillow, and with it openai/CLIP, resizes a picture as it is
/// stored and converts it to RGB afterwards. Grey and YCbCr are <see cref="Rgb"/> here, since for them the order makes no difference.
/// </summary>
public enum PixelMode
{
    /// <summary>Red, green, blue: resized by bicubic interpolation.</summary>
    Rgb,

    /// <summary>
    /// A palette's colours, or black and white of one bit (Pillow's P and 1), three bytes a pixel: resized by the nearest pixel.
    /// </summary>
    Indexed,

    /// <summary>
    /// Red, green, blue, alpha (Pillow's RGBA and LA): resized with colours multiplied by alpha, which is dropped afterwards, not
    /// composited.
    /// </summary>
    Rgba,

    /// <summary>Cyan, magenta, yellow, black.</summary>
    Cmyk,

    /// <summary>
    /// Grey of 16 bits (Pillow's I), two bytes a pixel, the lower first: what exceeds 255 after resizing is white, as Pillow's conversion
    /// has it.
    /// </summary>
    Deep,
}
