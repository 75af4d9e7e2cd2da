using ClipSae.Clip.Architecture;

namespace ClipSae.EmbeddingExtraction;

/// <summary>What one shard gave.</summary>
/// <param name="Ids">Ids of the images in order; <c>image_index</c> counts in this list.</param>
/// <param name="Unreadable">Images that could not be decoded, with the reason.</param>
/// <param name="Files">The activations by hook point.</param>
/// <param name="ComputeCosine">Smallest cosine of image embeddings to those of float32 on the first images, where another precision was
/// used.</param>
internal sealed record ExtractionResult(
    IReadOnlyList<string> Ids,
    IReadOnlyList<KeyValuePair<string, string>> Unreadable,
    IReadOnlyList<ExtractedPoint> Files,
    double? ComputeCosine
);

/// <summary>The finished file of a hook point.</summary>
internal sealed record ExtractedPoint(HookPoint Point, string Path, long Rows, int Width);
