namespace ClipSae.Results.Extraction;

/// <summary>Where the pictures of a shard are in its file, one entry of each list a picture.</summary>
/// <param name="Shard">Name of the run's input.</param>
/// <param name="Ids">Their ids.</param>
/// <param name="Offsets">First byte.</param>
/// <param name="Lengths">Bytes.</param>
/// <param name="Labels">What they show; null where that is not known.</param>
/// <param name="Words">The word that is recorded as printed on them; null where none is.</param>
public sealed record ShardPlaces(
    string Shard,
    IReadOnlyList<string> Ids,
    IReadOnlyList<long> Offsets,
    IReadOnlyList<int> Lengths,
    IReadOnlyList<string?> Labels,
    IReadOnlyList<string?> Words
);
