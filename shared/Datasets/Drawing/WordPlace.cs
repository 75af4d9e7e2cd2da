namespace ClipSae.Datasets.Drawing;

/// <summary>Where on a picture a word may be.</summary>
public enum WordPlace
{
    Anywhere,

    /// <summary>At the upper or lower left.</summary>
    Corner,

    /// <summary>Below, in the middle, as subtitles are.</summary>
    Foot,

    /// <summary>In the middle, as watermarks are.</summary>
    Centre,
}
