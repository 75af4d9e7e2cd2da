using static TorchSharp.torch;

namespace ClipSae.FineTuning.Validation;

/// <summary>
/// Losses of a step, scalars that stay on the device: the contrastive loss, or the arm's own where it uses no captions, and its parts.
/// </summary>
public sealed record StepLosses(Tensor Loss, Tensor? CleanLoss, Tensor? AttackLoss, Tensor? Penalty);
