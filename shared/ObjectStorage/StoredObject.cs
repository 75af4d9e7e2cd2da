namespace ClipSae.ObjectStorage;

/// <summary>An object as a listing shows it.</summary>
/// <param name="Key">Its key; that of what a folder would be ends in <c>/</c>.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Tag">The server's name for this content (ETag), without quotes.</param>
/// <param name="Written">When it was last written, as the server says it.</param>
public readonly record struct StoredObject(string Key, long Length, string Tag, string Written);
