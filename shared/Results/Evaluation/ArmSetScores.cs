namespace ClipSae.Results.Evaluation;

/// <summary>Metrics of an arm on one set: means over its seeds.</summary>
/// <param name="AgainstControl">Difference to the arm's random control; null for controls and arms without one.</param>
public sealed record ArmSetScores(Interval Accuracy, Interval? AttackSuccess, Interval? BinaryAccuracy, ArmContrast? AgainstControl)
    : ISetAccuracy;
