namespace ClipSae.Results;

/// <summary>What a model and an arm have in common on a set.</summary>
public interface ISetAccuracy
{
    Interval Accuracy { get; }

    /// <summary>Share of images taken for the printed word; null but on attacked sets.</summary>
    Interval? AttackSuccess { get; }
}
