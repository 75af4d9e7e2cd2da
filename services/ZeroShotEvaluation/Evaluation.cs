namespace ClipSae.ZeroShotEvaluation;

/// <summary>What an evaluation gives: figures, and base and tuned image by image.</summary>
public sealed class Evaluation : IDisposable
{
    internal Evaluation(EvaluationResults results, IReadOnlyList<Example> examples, IReadOnlyList<SetProbabilities> probabilities)
    {
        Results = results;
        Examples = examples;
        Probabilities = probabilities;
    }

    /// <summary>All figures.</summary>
    public EvaluationResults Results { get; }

    /// <summary>The images that people ask about first.</summary>
    public IReadOnlyList<Example> Examples { get; }

    /// <summary>Probabilities of base and tuned for every image.</summary>
    public IReadOnlyList<SetProbabilities> Probabilities { get; }

    public void Dispose()
    {
        foreach (var table in Probabilities)
        {
            table.Values.Dispose();
        }
    }
}
