using TorchSharp;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>What one model gave on all sets.</summary>
/// <param name="Model">The model.</param>
/// <param name="Answers">Answers by set.</param>
/// <param name="Probabilities">Probabilities [images, candidates] by set, float32; only of models that are shown image by image.</param>
internal sealed record ModelRun(
    ModelUnderTest Model, IReadOnlyDictionary<string, SetAnswers> Answers, IReadOnlyDictionary<string, torch.Tensor> Probabilities);
