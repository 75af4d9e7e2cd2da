namespace ClipSae.Pipeline;

/// <summary>A file or object of a store.</summary>
/// <param name="Key">Its path, with slashes.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Written">When it was last written.</param>
public sealed record InventoryItem(string Key, long Length, DateTimeOffset Written);
