namespace ClipSae.Results.Evaluation;

/// <summary>What a model and an arm have in common on a set.</summary>
public interface ISetAccuracy
{
    Interval Accuracy { get; }

    /// <summary>Share of images for which the printed word is named; null but on attacked sets.</summary>
    Interval? AttackSuccess { get; }
}
