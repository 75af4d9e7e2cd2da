using ClipSae.AttackCuration;
using ClipSae.EmbeddingExtraction;
using ClipSae.FineTuning;
using ClipSae.Reporting;
using ClipSae.SaeTraining;
using ClipSae.WeightConversion;
using ClipSae.ZeroShotEvaluation;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Cli.Running;

/// <summary>Every stage of the pipeline, as its service adds it.</summary>
internal static class StageCatalogue
{
    public static void AddTo(IServiceCollection services) =>
        services
            .AddEmbeddingExtraction()
            .AddSaeTraining()
            .AddAttackCuration()
            .AddFineTuning()
            .AddWeightConversion()
            .AddZeroShotEvaluation()
            .AddReporting();
}
