namespace ClipSae.Contracts;

/// <summary>Names one immutable piece of content. Messages and events carry references, never tensors.</summary>
/// <param name="Digest"><c>sha256:</c> and 64 lower-case hexadecimal digits of the content.</param>
/// <param name="Length">Length of the content in bytes.</param>
/// <param name="MediaType">For example <c>application/json</c> or <c>application/x-safetensors</c>.</param>
/// <param name="Name">File name to show to people; it is no part of the identity.</param>
public sealed record ArtifactRef(string Digest, long Length, string MediaType, string Name);
