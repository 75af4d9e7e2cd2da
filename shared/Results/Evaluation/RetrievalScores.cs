namespace ClipSae.Results.Evaluation;

/// <summary>Retrieval on one set of captioned images.</summary>
/// <param name="ImageToText">Of all captions, one of the image's own is among the first k.</param>
/// <param name="TextToImage">Of all images, one that the caption belongs to is among the first k.</param>
/// <param name="ModalityGap">Distance between the means of images and of their captions.</param>
/// <param name="CutCaptions">Captions that were longer than the model's context.</param>
/// <param name="ImageToTextGain">R@1 of image to text less the base's; null for the base itself.</param>
/// <param name="TextToImageGain">The same the other way.</param>
/// <param name="McNemar">Whether the images with a right first caption differ.</param>
public sealed record RetrievalScores(
    RecallScores ImageToText,
    RecallScores TextToImage,
    Interval ModalityGap,
    int CutCaptions,
    Interval? ImageToTextGain,
    Interval? TextToImageGain,
    McNemar? McNemar
);
