namespace ClipSae.AttackCuration.Settings;

/// <summary>What happens to pictures whose captions repeat the word printed on them, as the check of captions finds them.</summary>
public enum CaptionHygiene
{
    /// <summary>Nothing is looked for.</summary>
    Keep,

    /// <summary>They are found and listed, and used as they are.</summary>
    Report,

    /// <summary>They have no part in attacks or fine-tuning.</summary>
    Drop,

    /// <summary>
    /// The word leaves the caption where the caption names something else; other such pictures are dropped. None is printed on.
    /// </summary>
    Reword,

    /// <summary>
    /// As <see cref="Drop"/>, and whatever is printed on other pictures is painted over for fine-tuning. None of them is printed on.
    /// </summary>
    Hide,

    /// <summary>The control of <see cref="Drop"/>: as many random pictures are dropped in their place.</summary>
    DropRandom,

    /// <summary>
    /// The control of <see cref="Hide"/>: as many random pictures are dropped, and on as many random others the same patches are painted
    /// over.
    /// </summary>
    HideRandom,
}
