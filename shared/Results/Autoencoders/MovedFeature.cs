namespace ClipSae.Results.Autoencoders;

/// <summary>A feature of the base's autoencoder in the base and in the tuned model, on the same images.</summary>
/// <param name="Feature">Its number.</param>
/// <param name="Frequency">Share of the images on which it fires in the base.</param>
/// <param name="TunedFrequency">The same in the tuned model.</param>
/// <param name="Mean">Mean activation in the base, over images and tokens.</param>
/// <param name="TunedMean">The same in the tuned model.</param>
/// <param name="Correlation">Correlation over the images of its mean activation in the two; null where it is constant in one.</param>
/// <param name="TextResponse">What a printed word adds to its mean activation in the base, the mean over attacks; null without
/// attacks.</param>
/// <param name="TunedTextResponse">The same in the tuned model.</param>
public sealed record MovedFeature(
    int Feature,
    double Frequency,
    double TunedFrequency,
    double Mean,
    double TunedMean,
    double? Correlation,
    double? TextResponse,
    double? TunedTextResponse
);
