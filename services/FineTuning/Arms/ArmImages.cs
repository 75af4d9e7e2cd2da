using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

/// <summary>Images of one forward pass as the model takes them.</summary>
/// <param name="Images">[batch, 3, R, R], the clean ones first.</param>
/// <param name="Clean">How many are clean; the others are attacks.</param>
/// <param name="Controls">The attacks' unreadable twins [attacks, 3, R, R], where the arm needs them.</param>
/// <param name="Sources">The pictures that the attacks are printed on [attacks, 3, R, R], where the arm needs them; any picture where there
/// is none.</param>
/// <param name="HasSource">float32 [attacks]: 1 where the attack was printed on a picture, 0 where the picture came with its print.</param>
/// <param name="Print">The attacks' print on grey [attacks, 3, R, R], where the arm needs it; any picture if there is no source.</param>
public sealed record ArmImages(
    Tensor Images,
    long Clean,
    Tensor? Controls = null,
    Tensor? Sources = null,
    Tensor? HasSource = null,
    Tensor? Print = null
);
