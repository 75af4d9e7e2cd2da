namespace ClipSae.Results.Evaluation;

/// <summary>
/// An arm less its random control, seed by seed: both were trained alike from the same seed but for the features chosen, so what they share
/// falls out of the difference, where intervals of the two by themselves would hide it.
/// </summary>
/// <param name="Seeds">Seeds of which both were trained.</param>
/// <param name="Accuracy">Mean difference. With several seeds, the interval is Student's over their differences; with one, the paired
/// bootstrap's over images.</param>
/// <param name="AttackSuccess">The same of the attack success rate.</param>
/// <param name="McNemar">With one seed, whether the right answers of the two models differ.</param>
public sealed record ArmContrast(int Seeds, Interval Accuracy, Interval? AttackSuccess, McNemar? McNemar);
