namespace ClipSae.Results.Evaluation;

/// <summary>The metrics of one model on one set.</summary>
/// <param name="Accuracy">Share of right answers.</param>
/// <param name="MeanPerClass">Mean of the accuracies of the classes.</param>
/// <param name="AttackSuccess">Share of images for which the printed word is named (attacked sets).</param>
/// <param name="BinaryAccuracy">Share of images where the object beats the word alone, as SCAM and RTA-100 report.</param>
/// <param name="BinaryMargin">Mean cosine to the object less cosine to the word.</param>
/// <param name="Calibration">Whether probabilities mean what they say.</param>
/// <param name="ModalityGap">Distance between the means of images and of their classes' texts.</param>
/// <param name="Probe">A linear probe on the image features, where one was asked for and the set has images enough.</param>
/// <param name="AgainstBase">Difference to the base; null for the base itself.</param>
/// <param name="AgainstControl">Difference to the random control of the same arm and seed; null when there is none.</param>
/// <param name="PerClass">Accuracy of each class.</param>
public sealed record SetScores(
    Interval Accuracy,
    Interval MeanPerClass,
    Interval? AttackSuccess,
    Interval? BinaryAccuracy,
    Interval? BinaryMargin,
    Calibration Calibration,
    Interval ModalityGap,
    ProbeScores? Probe,
    Comparison? AgainstBase,
    Comparison? AgainstControl,
    IReadOnlyList<ClassScore> PerClass
) : ISetAccuracy;
