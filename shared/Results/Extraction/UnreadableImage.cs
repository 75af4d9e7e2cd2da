namespace ClipSae.Results.Extraction;

/// <summary>An image that could not be read, and why.</summary>
public sealed record UnreadableImage(string Id, string Problem);
