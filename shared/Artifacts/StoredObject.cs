namespace ClipSae.Artifacts;

/// <summary>An object as a listing shows it.</summary>
/// <param name="Key">Its key; that of what a folder would be ends in <c>/</c>.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Written">When it was last written; the largest time where the store does not say.</param>
/// <param name="Tag">The store's name for this content (an ETag, without quotes); empty where it has none.</param>
public readonly record struct StoredObject(string Key, long Length, DateTimeOffset Written, string Tag = "");
