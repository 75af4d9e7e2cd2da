namespace ClipSae.Results.Extraction;

/// <summary>Images of a shard in extraction.</summary>
/// <param name="Images">Ids of those that were read, in order; <c>image_index</c> of the activations counts in this list.</param>
/// <param name="Unreadable">Those that could not be read.</param>
public sealed record ShardImages(IReadOnlyList<string> Images, IReadOnlyList<UnreadableImage> Unreadable);
