namespace ClipSae.AttackCuration.Words;

/// <summary>Which wrong word is printed on a picture.</summary>
public enum WordKind
{
    /// <summary>Of the words given, the nearest as text to what the picture shows.</summary>
    Nearest,

    /// <summary>Of the words given, the one that CLIP confuses this picture with most.</summary>
    Confusing,

    /// <summary>Any of the words given.</summary>
    Listed,

    /// <summary>Any word of the vocabulary.</summary>
    Vocabulary,

    /// <summary>Any word of the vocabulary with letters of other scripts.</summary>
    OtherScript,
}
