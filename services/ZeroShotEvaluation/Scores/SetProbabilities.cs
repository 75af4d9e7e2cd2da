using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Scores;

/// <summary>
/// Probabilities of one model on one set, made when they are asked for: the table of a large set is larger than all that made it.
/// </summary>
public sealed class SetProbabilities
{
    private readonly ShownFeatures _features;

    internal SetProbabilities(SetQuestion question, ModelRun run)
    {
        Set = question.Name;
        Model = run.Model.Name;
        Ids = [.. question.Set.Images.Select(image => image.Id)];
        Candidates = question.Candidates;
        _features = run.Features[question.Name];
    }

    /// <summary>Name of the set.</summary>
    public string Set { get; }

    /// <summary>Name of the model.</summary>
    public string Model { get; }

    /// <summary>Images, one a row.</summary>
    public IReadOnlyList<string> Ids { get; }

    /// <summary>Texts, one a column.</summary>
    public IReadOnlyList<string> Candidates { get; }

    /// <summary>[images, candidates], float32, rows add up to 1; the caller disposes it.</summary>
    public torch.Tensor Compute() => _features.Probabilities();
}
