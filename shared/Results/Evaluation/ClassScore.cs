namespace ClipSae.Results.Evaluation;

/// <summary>Accuracy on the images of one class.</summary>
public sealed record ClassScore(string Class, int Images, Interval Accuracy);
