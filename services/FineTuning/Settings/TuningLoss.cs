using ClipSae.FineTuning.Training;

namespace ClipSae.FineTuning.Settings;

/// <summary>What fine-tuning minimises.</summary>
public enum TuningLoss
{
    /// <summary>
    /// What the model was made with: <see cref="ContrastiveLoss.Symmetric"/> of a CLIP, <see cref="ContrastiveLoss.Pairwise"/> of a SigLIP.
    /// </summary>
    Symmetric,

    /// <summary><see cref="ContrastiveLoss.Compat"/>, of a CLIP alone.</summary>
    Compat,
}
