namespace ClipSae.Clip;

/// <summary>An image ready for the model, or the reason why there is none.</summary>
/// <param name="Id">The item's id.</param>
/// <param name="Pixels">At least 3 · R · R values, rented from the shared pool; null for an unreadable image.</param>
/// <param name="Problem">Why it cannot be read; null for a readable image.</param>
public sealed record PreparedImage<T>(string Id, T[]? Pixels, string? Problem);
