using TorchSharp;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>Probabilities of one model on one set.</summary>
/// <param name="Set">Name of the set.</param>
/// <param name="Model">Name of the model.</param>
/// <param name="Ids">Images, one a row.</param>
/// <param name="Candidates">Texts, one a column.</param>
/// <param name="Values">[images, candidates], float32, rows add up to 1.</param>
public sealed record SetProbabilities(string Set, string Model, IReadOnlyList<string> Ids, IReadOnlyList<string> Candidates, torch.Tensor Values);
