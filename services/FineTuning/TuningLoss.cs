namespace ClipSae.FineTuning;

/// <summary>What fine-tuning minimises.</summary>
public enum TuningLoss
{
    /// <summary><see cref="ContrastiveLoss.Symmetric"/>.</summary>
    Symmetric,

    /// <summary><see cref="ContrastiveLoss.Compat"/>.</summary>
    Compat,
}
