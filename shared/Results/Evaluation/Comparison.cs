namespace ClipSae.Results.Evaluation;

/// <summary>A model against another, the base or a random control, on the same images.</summary>
/// <param name="Accuracy">Accuracy of the model less that of the other, with its paired interval.</param>
/// <param name="McNemar">Whether the right answers differ.</param>
/// <param name="AttackSuccess">The same difference for the attack success rate.</param>
/// <param name="BinaryAccuracy">The same difference for the accuracy of object against word.</param>
/// <param name="BinaryMcNemar">Whether the right answers of object against word differ.</param>
public sealed record Comparison(
    Interval Accuracy,
    McNemar McNemar,
    Interval? AttackSuccess = null,
    Interval? BinaryAccuracy = null,
    McNemar? BinaryMcNemar = null
);
