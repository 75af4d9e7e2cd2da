namespace ClipSae.Datasets.World;

/// <summary>What a picture of the synthetic world shows.</summary>
public enum WorldKind
{
    /// <summary>An object without print.</summary>
    Object,

    /// <summary>An object with its own name printed.</summary>
    OwnName,

    /// <summary>A printed word and no object.</summary>
    Word,

    /// <summary>An object with another word printed, captioned by what it says, or by both: "a cup that says jazz", as shops do.</summary>
    Poster,

    /// <summary>An object with another word printed: a typographic attack.</summary>
    Attacked,
}
