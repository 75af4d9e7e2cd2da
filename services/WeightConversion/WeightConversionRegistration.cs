using ClipSae.Hosting.Service;
using ClipSae.Tensors;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.WeightConversion;

/// <summary>Adds the service to a process.</summary>
public static class WeightConversionRegistration
{
    /// <summary>Adds the stage.</summary>
    public static IServiceCollection AddWeightConversion(this IServiceCollection services) =>
        services.AddStage<WeightConversionStage>(ComputeProbe.Instance);
}
