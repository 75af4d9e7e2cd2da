using ClipSae.Clip.Architecture;
using ClipSae.Clip.Generators;
using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>What one model gave on all sets.</summary>
/// <param name="Model">The model.</param>
/// <param name="Answers">Answers by set.</param>
/// <param name="Gaps">Modality gaps by set.</param>
/// <param name="Probes">Linear probes by set.</param>
/// <param name="Retrieval">Ranks by set of captioned images.</param>
/// <param name="Features">Features by set; only of models that are shown image by image.</param>
internal sealed record ModelRun(
    ModelUnderTest Model,
    Dictionary<string, SetAnswers> Answers,
    Dictionary<string, Interval> Gaps,
    Dictionary<string, ProbeAnswers> Probes,
    Dictionary<string, RetrievalAnswers> Retrieval,
    Dictionary<string, ShownFeatures> Features
)
{
    /// <summary>Size of the text tower with the states that it makes of prompts; null where no image generator has such a one.</summary>
    public (ClipArchitecture Architecture, TextHiddenStates States)? Text { get; set; }

    /// <summary>Frees the features and states.</summary>
    public void Release()
    {
        Text?.States.Dispose();
        foreach (var features in Features.Values)
        {
            features.Dispose();
        }
    }
}
