using ClipSae.AttackCuration;
using ClipSae.EmbeddingExtraction;
using ClipSae.FineTuning;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Reporting;
using ClipSae.SaeTraining;
using ClipSae.Tensors;
using ClipSae.WeightConversion;
using ClipSae.ZeroShotEvaluation;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Service;

/// <summary>Every stage of the pipeline, and how a process gets it.</summary>
public static class StageCatalogue
{
    private static readonly Dictionary<string, Func<IServiceCollection, IServiceCollection>> Stages = new(StringComparer.Ordinal)
    {
        [ParameterSections.Extraction] = services => services.AddStage<EmbeddingExtractionStage>(ComputeProbe.Instance),
        [ParameterSections.Sae] = services => services.AddStage<SaeTrainingStage>(ComputeProbe.Instance),
        [ParameterSections.Curation] = services => services.AddStage<AttackCurationStage>(ComputeProbe.Instance),
        [ParameterSections.Tuning] = services => services.AddStage<FineTuningStage>(ComputeProbe.Instance),
        [ParameterSections.Conversion] = services => services.AddStage<WeightConversionStage>(ComputeProbe.Instance),
        [ParameterSections.Evaluation] = services => services.AddStage<ZeroShotEvaluationStage>(ComputeProbe.Instance),
        [ParameterSections.Report] = services => services.AddStage<ReportStage>(),
    };

    /// <summary>Adds them all to one process.</summary>
    public static void AddAll(IServiceCollection services)
    {
        foreach (var add in Stages.Values)
        {
            add(services);
        }
    }

    /// <summary>What adds the stage of this name.</summary>
    /// <exception cref="UserErrorException">There is none; the message names them.</exception>
    public static Action<IServiceCollection> Find(string stage) =>
        Stages.TryGetValue(stage, out var add)
            ? services => add(services)
            : throw new UserErrorException(
                $"ClipSae.Service: expected a service first: coordinator, web, {string.Join(", ", Stages.Keys)}; "
                    + "--help after it shows what may follow"
            );
}
