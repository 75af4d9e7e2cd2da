namespace ClipSae.Results;

/// <summary>Every format in which a stage stores a result, or tells figures in its event.</summary>
public static class ResultFormats
{
    /// <summary>Figures of all models on all sets.</summary>
    public static ResultFormat<EvaluationResults> Evaluation { get; } = new("evaluation");

    /// <summary>Images with what the shown models make of them.</summary>
    public static ResultFormat<IReadOnlyList<Example>> Examples { get; } = new("examples");

    /// <summary>Features and neurons that read text.</summary>
    public static ResultFormat<SalientFindings> Salient { get; } = new("salient", isCanonical: true);

    /// <summary>Curves of a fine-tuning.</summary>
    public static ResultFormat<TuningCurves> Curves { get; } = new("curves", isCanonical: true);

    /// <summary>The part of the curves that a checkpoint keeps.</summary>
    public static ResultFormat<TrainingHistory> TrainingHistory { get; } = new("training-history");

    public static ResultFormat<CurationFigures> CurationFigures { get; } = new("curation-figures");

    public static ResultFormat<TuningFigures> TuningFigures { get; } = new("tuning-figures");

    public static ResultFormat<EvaluationFigures> EvaluationFigures { get; } = new("evaluation-figures");

    /// <summary>All of them, results before figures.</summary>
    public static IReadOnlyList<IResultFormat> All { get; } = [Salient, Curves, TrainingHistory, Evaluation, Examples, CurationFigures, TuningFigures, EvaluationFigures];
}
