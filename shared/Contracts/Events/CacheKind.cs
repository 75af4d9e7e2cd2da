namespace ClipSae.Contracts;

/// <summary>Where a unit's result came from.</summary>
public enum CacheKind
{
    /// <summary>Computed: no stored result had its key.</summary>
    Miss,

    /// <summary>Taken from a stored result.</summary>
    Hit,

    /// <summary>Computed again and equal to the stored result, digest by digest.</summary>
    Verified,
}
