namespace ClipSae.Results.Extraction;

/// <summary>Where the pictures of a data set are in its shards.</summary>
/// <param name="Shards">The shards, in the run's order.</param>
public sealed record ImagePlaces(IReadOnlyList<ShardPlaces> Shards);
