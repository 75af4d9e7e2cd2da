namespace ClipSae.Datasets.Drawing;

/// <summary>Kinds of faces that families of print are distinguished by.</summary>
public enum FaceClass
{
    /// <summary>Faces without serifs, of usual width.</summary>
    Sans,

    Serif,

    /// <summary>Every letter of one width.</summary>
    Mono,

    /// <summary>Narrow ones.</summary>
    Condensed,

    /// <summary>Drawn as by hand.</summary>
    Handwriting,
}
