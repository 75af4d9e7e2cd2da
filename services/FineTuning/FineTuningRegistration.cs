using ClipSae.Hosting.Service;
using ClipSae.Tensors;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.FineTuning;

/// <summary>Adds the service to a process.</summary>
public static class FineTuningRegistration
{
    /// <summary>Adds its stage.</summary>
    public static IServiceCollection AddFineTuning(this IServiceCollection services) =>
        services.AddStage<FineTuningStage>(ComputeProbe.Instance);
}
