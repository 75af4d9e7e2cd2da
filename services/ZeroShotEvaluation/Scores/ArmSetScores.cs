namespace ClipSae.ZeroShotEvaluation;

/// <summary>Figures of an arm on one set: means over its seeds.</summary>
public sealed record ArmSetScores(Interval Accuracy, Interval? AttackSuccess, Interval? BinaryAccuracy);
