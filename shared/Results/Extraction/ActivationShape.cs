namespace ClipSae.Results.Extraction;

/// <summary>Size of a table of activations.</summary>
public sealed record ActivationShape(long Rows, int Width);
