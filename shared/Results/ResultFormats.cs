namespace ClipSae.Results;

/// <summary>Every format in which a stage stores a result, or tells figures in its event.</summary>
public static class ResultFormats
{
    /// <summary>Figures of all models on all sets.</summary>
    public static ResultFormat<EvaluationResults> Evaluation { get; } = new("evaluation");

    /// <summary>Images with what the shown models make of them.</summary>
    public static ResultFormat<IReadOnlyList<Example>> Examples { get; } = new("examples");

    public static ResultFormat<EvaluationFigures> EvaluationFigures { get; } = new("evaluation-figures");

    /// <summary>All of them, results before figures.</summary>
    public static IReadOnlyList<IResultFormat> All { get; } = [Evaluation, Examples, EvaluationFigures];
}
