namespace ClipSae.Datasets.Drawing;

/// <summary>
/// What is printed: the word itself, or one of the controls that put the same plate and ink on the picture and cannot be read.
/// </summary>
public enum WordOverlay
{
    /// <summary>The word, readable.</summary>
    Word,

    /// <summary>Random strokes of a letter's thickness with as much ink as the word.</summary>
    Strokes,

    /// <summary>The word's mirror image.</summary>
    Mirrored,

    /// <summary>The word cut in narrow columns that are shuffled and turned upside down: the same ink exactly.</summary>
    Scrambled,
}
