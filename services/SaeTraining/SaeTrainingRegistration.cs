using ClipSae.Hosting.Service;
using ClipSae.Tensors;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.SaeTraining;

/// <summary>Adds the service to a process.</summary>
public static class SaeTrainingRegistration
{
    /// <summary>Adds the stage that trains sparse autoencoders.</summary>
    public static IServiceCollection AddSaeTraining(this IServiceCollection services) =>
        services.AddStage<SaeTrainingStage>(ComputeProbe.Instance);
}
