namespace ClipSae.Sae.Quality;

/// <summary>A latent's largest activation on any row (token) of an image.</summary>
/// <param name="Image">Number of the image.</param>
/// <param name="Activation">In units of the input.</param>
public sealed record ImageActivation(int Image, double Activation);
