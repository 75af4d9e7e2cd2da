namespace ClipSae.Contracts;

/// <summary>Media types of artifacts. Those of results are made by their formats; those of data sets stand next to their readers.</summary>
public static class MediaTypes
{
    public const string Json = "application/json";

    /// <summary>
    /// Tensors in a safetensors file. Runs before 28 November 2026 name fine-tuning's model <c>application/vnd.safetensors</c>; a media
    /// type is no part of the identity, so their artifacts are read and compared as any other.
    /// </summary>
    public const string Safetensors = "application/x-safetensors";

    /// <summary>Whether content of this type is JSON: its own type, or one with the suffix of RFC 6839.</summary>
    public static bool IsJson(string mediaType) => mediaType == Json || mediaType.EndsWith("+json", StringComparison.Ordinal);
}
