using ClipSae.Results.Autoencoders;
using ClipSae.Results.Conversion;
using ClipSae.Results.Curation;
using ClipSae.Results.Evaluation;
using ClipSae.Results.Extraction;
using ClipSae.Results.Tuning;

namespace ClipSae.Results;

/// <summary>Every format in which a stage stores a result, keeps a training in its checkpoint or reports metrics in its event.</summary>
public static class ResultFormats
{
    /// <summary>Output <c>ids</c> of embedding-extraction: the images of a shard.</summary>
    public static ResultFormat<ShardImages> ShardImages { get; } = new("shard-images");

    /// <summary>Output <c>statistics</c> of sae-training: an autoencoder and its features.</summary>
    public static ResultFormat<SaeStatistics> Statistics { get; } = new("statistics", isCanonical: true);

    /// <summary>What <c>clipsae ui</c> computes for its atlas of features, and keeps as a result of its own.</summary>
    public static ResultFormat<FeatureIndex> FeatureIndex { get; } = new("feature-index");

    /// <summary>
    /// What <c>clipsae ui</c> keeps with an index: where a data set's pictures are, so that none of its shards has to be gone through
    /// again.
    /// </summary>
    public static ResultFormat<ImagePlaces> ImagePlaces { get; } = new("picture-places");

    /// <summary>What <c>clipsae ui</c> computes of one feature when it is asked: its ablation and the neurons that write it.</summary>
    public static ResultFormat<FeatureEffect> FeatureEffect { get; } = new("feature-effect");

    /// <summary>What <c>clipsae ui</c> computes of base and tuned model through the base's autoencoder.</summary>
    public static ResultFormat<FeatureMovement> FeatureMovement { get; } = new("feature-movement");

    /// <summary>Output <c>salient</c> of attack-curation: features and neurons that read text.</summary>
    public static ResultFormat<SalientFindings> Salient { get; } = new("salient", isCanonical: true);

    /// <summary>Output <c>curves</c> of fine-tuning.</summary>
    public static ResultFormat<TuningCurves> Curves { get; } = new("curves", isCanonical: true);

    /// <summary>Output <c>proof</c> of weight-conversion, and its metrics: how far written weights are from their source.</summary>
    public static ResultFormat<ConversionProof> Proof { get; } = new("proof");

    /// <summary>Output <c>results</c> of zero-shot-evaluation: metrics of all models on all sets.</summary>
    public static ResultFormat<EvaluationResults> Evaluation { get; } = new("evaluation");

    /// <summary>Output <c>examples</c> of zero-shot-evaluation: images with what the shown models make of them.</summary>
    public static ResultFormat<IReadOnlyList<Example>> Examples { get; } = new("examples");

    /// <summary>The part of the curves that a checkpoint of fine-tuning keeps.</summary>
    public static ResultFormat<TrainingHistory> TrainingHistory { get; } = new("training-history");

    public static ResultFormat<ExtractionMetrics> ExtractionMetrics { get; } = new("extraction-figures");

    public static ResultFormat<AutoencoderMetrics> AutoencoderMetrics { get; } = new("autoencoder-figures");

    public static ResultFormat<CurationMetrics> CurationMetrics { get; } = new("curation-figures");

    public static ResultFormat<TuningMetrics> TuningMetrics { get; } = new("tuning-figures");

    public static ResultFormat<EvaluationMetrics> EvaluationMetrics { get; } = new("evaluation-figures");

    /// <summary>All of them, results before metrics.</summary>
    public static IReadOnlyList<IResultFormat> All { get; } =
    [
        ShardImages,
        Statistics,
        FeatureIndex,
        ImagePlaces,
        FeatureEffect,
        FeatureMovement,
        Salient,
        Curves,
        Proof,
        Evaluation,
        Examples,
        TrainingHistory,
        ExtractionMetrics,
        AutoencoderMetrics,
        CurationMetrics,
        TuningMetrics,
        EvaluationMetrics,
    ];
}
