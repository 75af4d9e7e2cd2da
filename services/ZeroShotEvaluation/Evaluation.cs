using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Scores;
using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>What an evaluation gives: metrics, and the shown models image by image.</summary>
public sealed class Evaluation : IDisposable
{
    private readonly IReadOnlyList<SetQuestion> _questions;
    private readonly IReadOnlyList<ModelRun> _runs;

    internal Evaluation(
        EvaluationResults results,
        IReadOnlyList<Example> examples,
        IReadOnlyList<SetQuestion> questions,
        IReadOnlyList<ModelRun> runs
    )
    {
        Results = results;
        Examples = examples;
        _questions = questions;
        _runs = runs;
        Probabilities =
        [
            .. runs.SelectMany(run =>
                questions.Where(question => run.Features.ContainsKey(question.Name)).Select(question => new SetProbabilities(question, run))
            ),
        ];
    }

    /// <summary>All metrics.</summary>
    public EvaluationResults Results { get; }

    /// <summary>The images that people ask about first.</summary>
    public IReadOnlyList<Example> Examples { get; }

    /// <summary>Probabilities of the shown models for every image.</summary>
    public IReadOnlyList<SetProbabilities> Probabilities { get; }

    /// <summary>What each model answers for each labelled image.</summary>
    public IEnumerable<ImageAnswer> Answers() => _questions.SelectMany(question => _runs.SelectMany(run => ImageAnswer.Of(question, run)));

    public void Dispose()
    {
        foreach (var run in _runs)
        {
            run.Release();
        }
    }
}
