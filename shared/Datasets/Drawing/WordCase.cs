namespace ClipSae.Datasets.Drawing;

/// <summary>Letters that a word is printed in.</summary>
public enum WordCase
{
    /// <summary>As the word is given.</summary>
    AsGiven,

    /// <summary>Capitals.</summary>
    Upper,
}
