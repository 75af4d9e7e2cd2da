namespace ClipSae.Clip.Preprocessing;

/// <summary>An image ready for the model, or the reason why there is none.</summary>
/// <param name="Id">The item's id.</param>
/// <param name="Pixels">3 · R · R values, to be given back (<see cref="ImagePrefetcher{T}.Return"/>); null for an unreadable image.</param>
/// <param name="Problem">Why it cannot be read; null for a readable image.</param>
public sealed record PreparedImage<T>(string Id, T[]? Pixels, string? Problem);
