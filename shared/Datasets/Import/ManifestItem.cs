namespace ClipSae.Datasets.Import;

/// <summary>One picture in a manifest.</summary>
/// <param name="Id">See <see cref="DatasetItem.Id"/>.</param>
/// <param name="Shard">Index of its shard.</param>
/// <param name="Label">Its class, where known.</param>
public sealed record ManifestItem(string Id, int Shard, string? Label);
