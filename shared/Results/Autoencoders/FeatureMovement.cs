namespace ClipSae.Results.Autoencoders;

/// <summary>What fine-tuning changed, seen through the base's autoencoder.</summary>
/// <param name="Tuned">Name of the tuned model.</param>
/// <param name="Images">Images of the data set that both models saw.</param>
/// <param name="Pairs">Attacks that both saw, each with the picture that it was printed on.</param>
/// <param name="Features">The features that fire in either, by number.</param>
public sealed record FeatureMovement(string Tuned, int Images, int Pairs, IReadOnlyList<MovedFeature> Features);
