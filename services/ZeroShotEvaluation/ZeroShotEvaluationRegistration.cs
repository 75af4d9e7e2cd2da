using ClipSae.Hosting.Service;
using ClipSae.Tensors;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>Adds the service to a process.</summary>
public static class ZeroShotEvaluationRegistration
{
    /// <summary>Adds the stage.</summary>
    public static IServiceCollection AddZeroShotEvaluation(this IServiceCollection services) =>
        services.AddStage<ZeroShotEvaluationStage>(ComputeProbe.Instance);
}
