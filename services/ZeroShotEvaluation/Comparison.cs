namespace ClipSae.ZeroShotEvaluation;

/// <summary>A model against the base on the same images.</summary>
/// <param name="Accuracy">Accuracy of the model less that of the base, with its paired interval.</param>
/// <param name="AttackSuccess">The same for the attack success rate.</param>
/// <param name="McNemar">Whether the right answers differ.</param>
public sealed record Comparison(Interval Accuracy, Interval? AttackSuccess, McNemar McNemar);
