namespace ClipSae.Datasets.Import;

/// <summary>One shard in a manifest.</summary>
/// <param name="Name">Such as "shards/00000".</param>
/// <param name="Digest">Of the tar file.</param>
/// <param name="Items">Pictures in it.</param>
public sealed record ManifestShard(string Name, string Digest, int Items);
