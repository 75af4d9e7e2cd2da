using System.Text.Json.Serialization;

namespace ClipSae.Results.Curation;

/// <summary>Caption hygiene in numbers.</summary>
/// <param name="Action">Value of <c>curation.captionHygiene</c>.</param>
/// <param name="Images">Pictures with a caption that could be decoded.</param>
/// <param name="Found">Those whose captions repeat their print.</param>
/// <param name="Changed">Those whose captions were changed, or that were left out.</param>
public sealed record CaptionMetrics(string Action, [property: JsonPropertyName("pictures")] int Images, int Found, int Changed);
