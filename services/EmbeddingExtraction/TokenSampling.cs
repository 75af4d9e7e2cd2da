using System.Text.Json.Serialization;

namespace ClipSae.EmbeddingExtraction;

/// <summary>Which tokens of an image are kept.</summary>
[JsonConverter(typeof(TokenSamplingJsonConverter))]
public abstract record TokenSampling
{
    private TokenSampling() { }

    /// <summary>Every token; written <c>"all"</c>.</summary>
    public sealed record All : TokenSampling;

    /// <summary>So many, drawn without replacement (all, if the image has no more); written as the number.</summary>
    public sealed record Sampled(int Count) : TokenSampling;

    /// <summary>How many of <paramref name="tokens"/> are kept.</summary>
    public int Kept(int tokens) => this is Sampled sampled ? Math.Min(sampled.Count, tokens) : tokens;
}
