namespace ClipSae.Datasets.Drawing;

/// <summary>Colours of letters and of what is under or around them.</summary>
public enum WordColours
{
    /// <summary>Any dark on any light one, or the other way round.</summary>
    Any,

    /// <summary>Nearly black on nearly white.</summary>
    Dark,

    /// <summary>Nearly white on nearly black.</summary>
    Light,
}
