namespace ClipSae.Results.Autoencoders;

/// <summary>A label or a printed word that is frequent where a feature fires.</summary>
/// <param name="Text">The label or word.</param>
/// <param name="Share">Share of the images on which the feature fires most.</param>
/// <param name="Overall">Share of all images of the index.</param>
public sealed record FrequentText(string Text, double Share, double Overall);
