namespace ClipSae.Imaging.Resizing;

/// <summary>Pillow's antialiased filters, with its numbers of them.</summary>
public enum ResizeFilter
{
    /// <summary>A triangle as wide as two pixels of the coarser grid.</summary>
    Bilinear = 2,

    /// <summary>Keys' cubic with a = −0.5.</summary>
    Bicubic = 3,
}
